"""The page that shows the studio in a browser: static files, no build step."""
