"""Run a program, such as uv, with the package index that pip uses here; uv itself does not read pip's settings."""

import ast
import os
import subprocess
import sys

VARIABLES = {
    "cert": "SSL_CERT_FILE",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
    "no-index": "UV_OFFLINE",
    "trusted-host": "UV_INSECURE_HOST",
}
settings = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true"}
listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True, check=True)
for line in sorted(listing.stdout.splitlines(), key=lambda line: line.startswith(":env:")):  # which has the last word
    name, _, value = line.partition("=")
    if variable := VARIABLES.get(name.rpartition(".")[2]):
        settings[variable] = ("," if variable == "UV_FIND_LINKS" else " ").join(ast.literal_eval(value).split())
os.execvpe(sys.argv[1], sys.argv[1:], settings | os.environ)  # noqa: S606 - no shell is wanted
