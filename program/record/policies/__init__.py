"""The policies that come with the program, as TOML documents."""
