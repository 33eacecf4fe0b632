"""What agents may use: functions, nodes, flows, memory, SQL, the web, files, code, MCP servers."""
