"""What every rule uses: times, dates, words, spreadsheets, and lines of TOML documents."""
