"""A page that says which versions it was made with."""

from importlib.metadata import version

from flask import Flask

app = Flask(__name__)


@app.get("/")
def versions():
    return {name: version(name) for name in ("flask", "werkzeug")}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8000)
