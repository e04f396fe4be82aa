import marimo

__generated_with = "0.25.2"
app = marimo.App()

with app.setup:
    import marimo as mo

    from cadran.figures.blocks import Notice
    from cadran.figures.controls import Choice
    from cadran.figures.page import Page
    from cadran.publish.reading import published_book
    from cadran.text import words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def open_page(query):
    _book = published_book()
    _uses, _sizes = {"whole": "Whole", "present": "Presentation"}, {str(n): str(n) for n in range(400)}
    deals = _book.collect(_book.deals(["seller", "client", "region"]))
    page = Page(
        "Shown",
        words_for(query.get("lang")),
        [Choice("use", "Show as", _uses, "whole"), Choice("size", "Size", _sizes, "0", slides=True, is_local=True)],
        places=[("told",), ("named",), ("aside",)],
        query=query,
        onlooked=lambda view: {"told"} if view["use"] == "present" else None,
    )
    return deals, page


@app.cell
def show(deals, page):
    def names(column):
        return ", ".join(deals[column].drop_nulls().unique().sort())

    def answer(_change=None):
        view = page.asked
        if view["use"] == "present":
            told = f"size {view['size']}: {names('region')} {'x' * 50_000}"
            page.show({"told": Notice(told), "aside": Notice("for the presenter alone")})
        else:
            page.show({"told": Notice(names("seller")), "named": Notice(names("client"))})

    page.observe(answer, "view")
    answer()
    page  # noqa: B018
    return


if __name__ == "__main__":
    app.run()
