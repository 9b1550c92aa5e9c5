"""The database: tables, queries, migrations, due moments, deliveries, and the vault."""
