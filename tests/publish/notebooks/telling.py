import marimo

__generated_with = "0.25.2"
app = marimo.App()

with app.setup:
    import marimo as mo

    from cadran.figures.page import Page
    from cadran.publish.reading import published_book
    from cadran.tables.problems import Problem
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def show(query):
    book = published_book()
    page = Page("Telling", words_for(pick_language(query.get("lang"), None)), query=query)
    page.refuse(Problem("{file} is damaged.", "Look at {file}.", file=book.version / "versions" / "0000.parquet"))
    page  # noqa: B018
    return


if __name__ == "__main__":
    app.run()
