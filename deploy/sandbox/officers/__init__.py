"""The officers of the city: they work their task lists within their usual days, unless a story says otherwise."""
