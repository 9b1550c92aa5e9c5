"""The process: settings, startup, runtime, terminal, web server, documents, and one folder for each platform."""
