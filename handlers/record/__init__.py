"""The record: policy, progress, activities, make-ups, leave, disputes, completion, and certificates."""
