"""What every table and query uses: database, unit of work, audit log, process registry, backup and migrations."""
