"""Every service's HTTP interface under thousands of calls that its OpenAPI allows, forbids or never thought of."""
