import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full")

with app.setup:
    import marimo as mo

    from cadran.figures import definitions_page as sheet
    from cadran.figures.facts import Facts
    from cadran.measures import MEASURES
    from cadran.measures.answers import about
    from cadran.measures.glossary import glossary
    from cadran.publish.reading import published_book
    from cadran.text import pick_language, words_for


@app.cell
def read_address():
    query = mo.query_params().to_dict()
    return (query,)


@app.cell
def load():
    book = published_book()
    return (book,)


@app.cell
def open_page(book, query):
    facts = Facts(**about(book, ()))
    words = words_for(pick_language(query.get("lang"), None))
    titles = {each.name: each.title for each in MEASURES.values()}
    page = mo.ui.anywidget(sheet.open_page(facts, words, titles, query))
    page
    return facts, page


@app.cell
def ask(book, page):
    entries = glossary(book.as_of(page.asked.day("as_of")))
    return (entries,)


@app.cell
def show(entries, facts, page):
    page.show(sheet.blocks(entries, facts, page.words))
    return


if __name__ == "__main__":
    app.run()
