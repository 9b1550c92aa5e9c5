"""Documents the product makes: certificates, packets, exports, and the pages that hand them out."""
