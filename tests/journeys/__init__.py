"""Stories and what must hold around them, on one whole city."""
