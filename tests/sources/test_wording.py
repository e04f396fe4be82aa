"""The wording of questions: what is refused, what is remarked, and what is left alone."""

import tomllib
from pathlib import Path

import pytest

from cadran.sources.question import NO_SCALE, SCALES, library
from cadran.sources.wording import RULES, TOPICS, review
from cadran.text import words_for


def row(en="I have the time I need.", fr="J'ai le temps qu'il me faut.", kind="agreement", **more):
    scale = SCALES.get(kind, NO_SCALE)
    return {"question_id": "q", "kind": kind, "text_en": en, "text_fr": fr, **scale, **more}


def rules(**said):
    return {(found.rule, found.is_refused) for found in review(row(**said), "s.toml: questions[1] (q)")}


@pytest.mark.parametrize(
    ("topic", "texts"),
    [
        ("health", [
            "My health allows me to do my job.", "I sleep badly because of work.", "Have you been ill this month?",
            "I was on sick leave this year.", "Do you have a disability?", "I feel close to burn-out.",
            "I have seen a doctor because of my work.", "Are you pregnant, or planning to be?", "My mental health is good.",
            "I feel depressed on Sundays.", "Are you vaccinated?", "I took medical leave this year.",
        ]),
        ("union", [
            "Are you a member of a trade union?", "The union defends me well.", "I would join a strike.",
            "Do unions have too much weight here?", "I am a member of the CGT.", "Our site should be unionised.",
        ]),
        ("religion", ["What is your religion?", "I can practise my faith at work.", "Are you Muslim?", "A prayer room is needed."]),
        ("politics", ["I can state my political opinions here.", "Which party do you vote for?", "Are you left-wing?"]),
        ("origin", ["What is your ethnic group?", "My nationality holds me back.", "What is your country of birth?",
                    "My skin colour matters here."]),
        ("sex", ["What is your sexual orientation?", "LGBT colleagues are at ease here."]),
        ("identity", ["What is your name?", "How old are you?", "Which team are you in?"]),
    ],
)  # fmt: skip
def test_what_must_not_be_asked_is_refused_in_english(topic, texts):
    assert [text for text in texts if (topic, True) not in rules(en=text)] == []


@pytest.mark.parametrize(
    ("topic", "texts"),
    [
        ("health", [
            "Ma santé me permet de faire mon travail.", "Je dors mal à cause du travail.",
            "Avez-vous été malade ce mois-ci ?",
            "J'ai eu un arrêt de travail cette année.", "Avez-vous un handicap ?", "Je me sens proche du burn-out.",
            "Êtes-vous enceinte ?", "J'ai consulté un médecin à cause de mon travail.", "J'ai perdu le sommeil.",
            "Je souffre d'épuisement professionnel.", "Je prends des médicaments pour tenir.", "MA SANTÉ EST BONNE",
        ]),
        ("union", [
            "Êtes-vous syndiqué ?", "Le syndicat me défend bien.", "Je ferais grève.", "L'action syndicale est utile.",
            "Je suis adhérent de la CFDT.", "Les syndicats ont trop de poids.",
        ]),
        ("religion", ["Quelle est votre religion ?", "Êtes-vous catholique ?", "Je peux vivre mes croyances au travail."]),
        ("politics", ["Je peux dire mes opinions politiques.", "Je suis proche d'un parti politique.", "Je suis militant."]),
        ("origin", ["Quelles sont vos origines ?", "Ma nationalité me freine.", "Mon origine ethnique compte ici."]),
        ("sex", ["Quelle est votre orientation sexuelle ?"]),
        ("identity", ["Quel est votre nom ?", "Quel âge avez-vous ?", "Quel est votre matricule ?"]),
    ],
)  # fmt: skip
def test_what_must_not_be_asked_is_refused_in_french(topic, texts):
    assert [text for text in texts if (topic, True) not in rules(fr=text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "There is mutual support in my team.", "I see the health of my pipeline at a glance.",
        "Our pipeline health score helps me.",
        "The company's financial health is explained to us.", "My accounts are in good health.",
        "There is healthy competition.",
        "Our healthcare clients get the answers they ask for.", "I know the health and safety rules of my site.",
        "I am sick of reports.", "I let leads sleep for too long.", "The European Union is a market for us.",
        "We strike a balance in sharing leads.", "I know how to strike deals.", "Office politics slow me down.",
        "I have faith in our strategy.", "Colleagues act in good faith.", "I update the CRM religiously.",
        "The origin of each lead is known.", "Our race to the quarter's end leaves no time.",
        "Part of my target depends on others.",
        "Disabled accounts are removed from the CRM.", "A union of two lists is made by hand.",
        "My background helps me sell.", "Clients know our name.", "The support I get is generous.",
        "I am paid what I am due.",
    ],
)  # fmt: skip
def test_what_is_harmless_in_english_is_left_alone(text):
    assert rules(en=text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "L'entraide est réelle dans mon équipe.", "Je vois la santé de mon pipeline d'un coup d'œil.",
        "On nous explique la santé financière de l'entreprise.", "Mon portefeuille est en bonne santé.",
        "Nos clients du secteur de la santé reçoivent des réponses.", "Les frais de santé sont remboursés vite.",
        "Je connais les règles de santé et de sécurité de mon site.", "Je suis handicapé par la lenteur du CRM.",
        "J'ai trop de comptes en sommeil.", "Je travaille dans l'enceinte du siège.",
        "La politique commerciale est lisible.",
        "La politique de prix m'aide à vendre.", "L'union fait la force dans mon équipe.",
        "L'Union européenne est un marché pour nous.",
        "Le syndicat de copropriété est un bon client.", "Nos syndicats mixtes clients paient à temps.",
        "La grève des transports m'a retardé.", "Le dégrèvement est expliqué.", "Les collègues sont de bonne foi.",
        "Prière de répondre vite : je lis souvent cela.", "L'origine de chaque prospect est connue.",
        "Les réunions servent.",
        "La mutuelle me rembourse vite.", "Les orientations de la politique tarifaire sont lisibles.",
        "Je suis personne à contacter pour ces comptes.", "Mon manager et moi parlons chaque semaine.",
    ],
)  # fmt: skip
def test_what_is_harmless_in_french_is_left_alone(text):
    assert rules(fr=text) == set()


@pytest.mark.parametrize(
    ("rule", "en", "fr"),
    [
        ("double", "I make calls and/or write e-mails.", "Je passe des appels et/ou des courriels."),
        ("double", "My goals are clear and realistic.", "Mes objectifs sont clairs et réalistes."),
        ("double", "I have the tools and I know how they work.", "J'ai les outils et je sais m'en servir."),
        ("double", "The tools and the data help me.", "Les outils et les données m'aident."),
        ("double", "Is it useful? Is it fast?", "Est-ce utile ? Est-ce rapide ?"),
        ("leading", "Don't you agree that pay is fair?", "N'êtes-vous pas d'accord que la paie est juste ?"),
        ("leading", "Our excellent tools save me time.", "Nos excellents outils me font gagner du temps."),
        ("leading", "As you know, targets were cut.", "Comme chacun sait, les objectifs ont baissé."),
        ("absolute", "My manager is always there.", "Mon manager est toujours là."),
        ("absolute", "Nobody listens to me.", "Personne ne m'écoute."),
        ("near_health", "My work leaves me stressed.", "Mon travail me stresse."),
        ("near_union", "The works council informs me well.", "Le CSE m'informe bien."),
        ("no_statement", "Do you find the time you need?", "Trouvez-vous le temps qu'il vous faut ?"),
        ("long", "I have time " * 9, "J'ai le temps " * 9),
    ],
)
def test_what_may_be_said_better_is_remarked_in_both_languages(rule, en, fr):
    assert (rule, False) in rules(en=en)
    assert (rule, False) in rules(fr=fr)


@pytest.mark.parametrize(
    "text",
    [
        "My manager and I talk every week.", "I divide my time between clients and reports.",
        "I see research and development people.",
        "I can hardly ever take a break.", "I understand the terms and conditions.",
        "Sales and marketing share their plans.",
        "I have all the data I need.", "My targets are clear.",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(text):
    assert rules(en=text) == set()


def test_labels_are_asked_too():
    options = {"labels_en": ["Tools", "My health"], "labels_fr": ["Les outils", "Le syndicat"]}

    assert rules(kind="choice", **options) == {("health", True), ("union", True)}


def test_accents_apart_and_curly_apostrophes_change_nothing():
    assert ("union", True) in rules(fr="Je ferais gre\u0300ve.")
    assert ("leading", False) in rules(en="Don’t you think so?")


@pytest.mark.parametrize(
    "labels", [None, ["Never"], ["Never", "", "Often", "Mostly", "Always"], ["Never", ""], ["a", "b", "c"]]
)
def test_a_scale_without_its_ends_is_refused(labels):
    assert ("unlabelled", True) in rules(labels_en=labels, labels_fr=labels)


def test_a_scale_may_label_its_ends_alone():
    assert rules(labels_en=["Never", "Always"], labels_fr=["Jamais", "Toujours"]) == set()


def test_what_no_phone_can_show_is_refused():
    assert rules(en="a" * 301) == {("too_long", True)}
    assert rules(en="a" * 300) == set()


def test_the_same_text_in_both_languages_is_remarked():
    assert rules(en="J'ai le temps.", fr="J'ai le temps.") == {("same", False)}


def test_a_finding_names_question_rule_and_repair_in_the_readers_language():
    (found,) = review(row(fr="Je suis syndiqué."), "s.toml: questions[1] (q)")

    assert (found.question, found.rule) == ("q", "union")
    assert found.told(words_for("fr")).startswith("s.toml: questions[1] (q).text.fr: «\u202fsyndiqué\u202f»")


@pytest.mark.parametrize("item", library())
def test_our_own_items_break_no_rule(item):
    assert list(review(library()[item], item)) == []


def test_each_rule_is_told_in_french():
    french = words_for("fr").catalogue
    said = {text for rule in (*TOPICS.values(), *RULES.values()) for text in (rule.what, rule.repair)}

    assert sorted(said - french.keys()) == []


@pytest.mark.parametrize(("verdict", "language"), [("bad", "en"), ("bad", "fr"), ("good", "en"), ("good", "fr")])
def test_sentences_written_after_the_rules_are_judged_rightly(verdict, language):
    sentences = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text("utf-8"))[verdict][language]
    refused = [each for each in sentences if any(is_refused for _, is_refused in rules(**{language: each}))]

    assert len(sentences) > 45
    assert refused == (sentences if verdict == "bad" else [])
