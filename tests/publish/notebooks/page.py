import marimo

__generated_with = "0.25.2"
app = marimo.App()

with app.setup:
    import marimo as mo

    from cadran.figures.blocks import Headline, Headlines
    from cadran.figures.controls import Choice
    from cadran.figures.page import Page
    from cadran.measures import MEASURES, Question
    from cadran.publish.reading import published_book
    from cadran.text import words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def show(query):
    book = published_book()
    words = words_for(query.get("lang"))
    outcome = Choice("outcome", "Outcome", {"won": "Won", "lost": "Lost", "none": "None"}, "won")
    page = Page("Toy", words, [outcome], places=[("headlines",)], query=query)

    def answer(_change=None):
        if page.asked["outcome"] == "none":
            raise ValueError("nothing to compute")
        totals = MEASURES["volumes"].ask(book, Question()).row(0, named=True)
        amount = totals[f"amount_{page.asked['outcome']}"]
        page.show({"headlines": Headlines([Headline("Amount", words.money(amount, "EUR", compact=False))])})

    page.observe(answer, "view")
    answer()
    page  # noqa: B018
    return (page,)
