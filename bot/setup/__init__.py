"""`saseo init`: answers of the operator → a first config.toml and .env. Knows no prompt and no terminal."""
