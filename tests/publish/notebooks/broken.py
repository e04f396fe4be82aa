import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def show():
    raise KeyError("no such column")
    return
