import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def show():
    import marimo as mo

    mo.md("An analyst's own words")
    return


if __name__ == "__main__":
    app.run()
