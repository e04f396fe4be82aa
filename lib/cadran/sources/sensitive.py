"""What no question may ask: special categories of personal data (article 9 of the GDPR), and who is answering.

Heuristics, in both languages: phrases in which such a word is harmless are taken out first ("health of the pipeline",
"politique commerciale"), then what is left is looked through. Written without accents, as texts are looked through.
"""

#: What in a business may be healthy, or in poor health, without a person being so.
_THINGS = {
    "en": r"(?:pipeline|funnel|deal|account|client|customer|data(?:base)?|crm|sales|system|tool|project|business|company"
          r"|market|portfolio|order\ book|forecast|territory|revenue|finance|cash|balance\ sheet)s?",
    "fr": r"(?:pipelines?|pipe|portefeuilles?|entreprises?|societes?|marques?|donnees|comptes?|clients?|clientele|affaires?"
          r"|crm|outils?|systemes?|projets?|marches?|tresorerie|base|activite|carnet|ventes?|previsions?|secteurs?|reseau)",
}  # fmt: skip
_TRADE = {
    "en": r"(?:care|sector|industry|clients?|customers?|accounts?|markets?|products?|insur\w+|companies|tech|vertical|score)",
    "fr": r"(?:secteurs?|clients?|comptes?|marches?|produits?|professionnels?|metiers?|acteurs?|complementaires?|mutuelles?"
          r"|assurances?|frais|domaine|pole|filiere|industrie|verticale)",
}  # fmt: skip
_OUTSIDE = r"(?:transports?|trains?|sncf|ratp|metro|routiers?|poste|dockers|controleurs?|douanes?|fournisseurs?)"
#: Phrases that name something else, by language.
HARMLESS = {
    "en": rf"""
        {_THINGS["en"]}(?:'s|')?\ health | health\ (?:check\ )?of\ (?:\w+\ ){{0,2}}{_THINGS["en"]}
        | {_THINGS["en"]}\ (?:is|are|looks?|seems?|stays?)\ in\ (?:\w+\ )?health
        | (?:financial|economic|commercial|fiscal)\ health | health[\ -]?{_TRADE["en"]}
        | (?:disability|sickness|maternity)\ insur\w+
        | health\ and\ safety\ (?:rules?|policy|policies|instructions?|officer) | sick\ (?:and\ tired\ )?of
        | (?:european|customs|credit|monetary|banking|western)\ union | unions?\ (?:bank|pacific|clients?|accounts?)
        | union\ of\ (?:\w+\ ){{0,2}}(?:tables|files|lists|data\w*|sources)
        | stress(?:es|ed)?\ (?:that|the\ importance) | stress[\ -]tests? | tired\ of
        | religiously | faith\ in | country\ of\ origin\ of""",
    "fr": rf"""
        sante\ (?:financiere|economique|commerciale|budgetaire)
        | (?:contrats?|ventes?|affaires?)\ (?:dans|en)\ (?:la\ )?sante
        | sante\ (?:de\ |du\ |des\ |d')?(?:la\ |le\ |les\ |l'|ma\ |mon\ |mes\ |notre\ |nos\ |chaque\ )?(?:\w+\ )?{_THINGS["fr"]}
        | {_THINGS["fr"]}(?:\ \w+)?\ (?:est|sont|reste|restent|semble|semblent)\ en\ (?:\w+\ )?sante
        | {_TRADE["fr"]}\ (?:de\ |de\ la\ |en\ |du\ secteur\ de\ la\ )?sante
        | (?:regles?|consignes?|politique|referente?|formation)\ (?:de\ )?sante\ et\ (?:de\ )?securite
        | assurance\ maladie | handicape(?:s|e|es)?\ par | handicap\ (?:pour|face|concurrentiel|commercial)
        | l'enceinte | stocks?\ epuises? | en\ sommeil
        | syndicats?\ (?:de|des)\ (?:co-?propriet\w+|communes|eaux|electricite)
        | syndicats?\ (?:intercommuna\w+|mixtes?|d'initiative|d'energie)
        | (?:prets?|credits?|financements?|pool)(?:\ \w+)?\ syndiques?
        | greves?\ (?:des?|de\ la|du)\ {_OUTSIDE} | greve\ {_OUTSIDE}
        | {_THINGS["fr"]}(?:\ de\ donnees)?\ (?:est|sont)\ malades?
        | religieusement | en\ protestant | prieres?\ de | bonne\ foi | ma\ foi""",
}
#: Words for the same in either language: names of unions, of religions, of illnesses as both write them.
EVERYWHERE = {
    "health": r"autis\w+ | dyslexi\w+ | hiv | covid | vaccin(?:e\w*|ated|ation) | burn[\ -]?out",
    "union": r"cgt | cfdt | cftc | cfe-cgc | unsa",
    "religion": r"islam\w* | ramadan | hijab | kippa",
    "sex": r"lgbt\w* | gay | transgend?(?:er|re)s? | (?:homo|bi)?sexu(?:al|el)\w*",
}
#: What is refused, by topic and language.
REFUSED: dict[str, dict[str, str]] = {
    "health": {
        "en": r"""
            health | (?:feel|feeling|stay|am|i'm|are\ you)\ (?:\w+\ )?(?:un)?healthy | mentally\ (?:\w+)
            | illness(?:es)? | hospital(?:i[sz]ed)? | seriously\ ill | long[\ -]term\ condition
            | diseases? | sickness | sick\ ?(?:leave|days?|notes?|pay)
            | (?:i\ am|i'm|am\ i|are\ you|you\ are|been|feel|feeling|felt|being|fall|fell|get|got|off|while)\ (?:\w+\ )?(?:ill|sick)
            | disabilit(?:y|ies) | (?:i\ am|i'm|are\ you|as\ a|registered)\ disabled
            | disabled\ (?:person|people|workers?|staff|employees?)
            | pregnan\w+ | maternity | burn(?:ed|t)\ out | depress(?:ed|ion|ive) | panic\ attacks? | insomnia | sleepless
            | (?:i|you)\ (?:\w+\ )?sleep | (?:my|your)\ sleep | los(?:e|t|ing)\ sleep
            | (?:my|your|on|take|taking)\ medication | medical\ (?:leave|condition|treatment|certificate|history|reasons?)
            | (?:my|your|occupational)\ (?:doctor|physician|psychologist|psychiatrist|therapist)
            | (?:seen?|saw|seeing|consult\w*)\ an?\ (?:doctor|physician|psychologist|psychiatrist|therapist)
            | antidepressants? | chronic\ conditions? | (?:trouble|difficulty|problems?)\ sleeping | therapists?
            | (?:my|your)\ (?:weight|body)(?!\ of) | nervous\ breakdown
            | (?:back|chronic|physical)\ pain | migraines? | drinking\ problem | alcoholi\w+ | drug\ use | menopaus\w+""",
        "fr": r"""
            sante | maladies? | hospitalise\w* | psychiques?
            | malades? | arrets?\ (?:de\ travail|maladie) | handicap(?:e|es|ee|ees|s)? | rqth
            | (?:suis|etes|est|etre|femmes?|salariees?|tomber|tombee)(?:-vous|-tu)?\ enceintes? | grossesses? | maternite
            | depress(?:ion|if|ive)s? | deprime\w* | surmenage | insomni\w+ | (?:mon|votre|le|du)\ sommeil
            | epuisement\ (?:professionnel|moral|nerveux|mental|physique|au\ travail) | (?:je|vous)\ (?:\w+\ )?(?:dors|dormez)
            | (?:medecin|medecine)\ du\ travail | (?:mon|votre)\ (?:medecin|psychologue|psychiatre|therapeute)
            | (?:consult\w+|vue?|voir)\ une?\ (?:medecin|psychologue|psychiatre|therapeute) | psychotherapi\w+
            | (?:suivi|certificat|traitement)s?\ (?:medical|medicaux) | raisons?\ medicales? | etat\ (?:psychologique|mental)
            | (?:prends|prenez|prendre|sous)\ (?:\w+\ )?medicaments? | mal\ (?:de|au)\ dos | migraines? | musculo\w*
            | antidepresseurs? | anxiolytiques? | somniferes? | (?:mon|votre|une?)\ psy
            | (?:mal|peine|difficultes?)\ a\ (?:dormir|m'endormir|trouver\ le\ sommeil) | (?:mon|votre)\ (?:corps|poids)(?!\ d)
            | suivie?\ par\ une?\ (?:psy\w*|medecin|therapeute)
            | douleurs?\ (?:physiques?|chroniques?) | alcoolisme | menopause""",
    },
    "union": {
        "en": r"""
            (?:trade\ |labou?r\ )?unions? | unioni[sz]\w+ | shop\ stewards? | collective\ bargaining
            | (?:on|join\w*|support\w*|right\ to|part\ in)\ (?:a\ |the\ )?(?:last\ |next\ )?strike
            | strikes?\ (?:action|notice|ballot|fund)""",
        "fr": r"""
            syndicats? | syndica(?:l|le|les|ux)\w* | syndique(?:e|s|es)? | greves? | grevistes? | debrayages?
            | negociations?\ collectives? | force\ ouvriere""",
    },
    "religion": {
        "en": r"""
            religio\w+ | (?:my|your|our)\ faith | muslims? | catholic\w* | protestants? | jew(?:s|ish)? | hindus?
            | buddhis\w+ | atheis\w+ | christians | christianity | headscar\w+ | to\ church | mosque | synagogue | believe\ in\ god
            | prayers? | pray\ (?:at|during|daily|in)
            | (?:philosophical|spiritual|personal)\ (?:belief|conviction)s? | your\ beliefs?""",
        "fr": r"""
            religi\w+ | (?:votre|sa|leur)\ foi | foi\ (?:chretienne|musulmane|juive) | croyances? | croyante?s? | musulmane?s?
            | catholiques? | protestante?s? | juifs? | juives? | bouddhistes? | hindous? | chretien(?:ne)?s? | athees?
            | laicite | careme | en\ dieu | messe | eglise | mosquee | synagogue | voile\ islamique | salle\ de\ priere | prieres?
            | convictions?\ (?:philosophiques?|spirituelles?)""",
    },
    "politics": {
        "en": r"""
            political\ (?:opinion|view|party|parties|affiliation|belief|leaning|conviction|orientation|sympath)\w*
            | politically\ active | (?:my|your)\ politics | (?:left|right)[\ -]wing | voted?\ (?:for|in)\ (?:\w+\ ){0,2}elections?
            | (?:general|presidential|local|european)\ elections? | which\ party | (?:next|last|coming)\ elections?
            | which\ candidate\ (?:will|would|do|did)\ you | (?:you|i)\ vote(?!\ on)
            | republicans? | democrats? | (?:conservative|labour|socialist)\ (?:party|voters?)""",
        "fr": r"""
            (?:partis?|opinions?|convictions?|sensibilites?|idees|engagements?|bord|appartenances?)\ politiques?
            | orientations?\ politiques?(?!\ d) | politiquement | extreme[\ -](?:droite|gauche) | militante?s? | militantisme
            | elections?\ (?:presidentielle|legislative|municipale|europeenne|regionale)s?
            | (?:presidentielle|legislatives) | vot(?:ez|erez|eriez|e)-vous | avez-vous\ vote | quel\ candidat
            | (?:etes-vous|suis|sens|sentez)\ (?:\w+\ )?de\ (?:gauche|droite)
            | (?:vote|votez|voter)\ (?:a|aux|lors\ des)\ (?:elections?|gauche|droite)""",
    },
    "origin": {
        "en": r"""
            ethnic\w* | racial | (?:my|your)\ (?:race|skin) | skin\ colou?r | nationality | place\ of\ birth
            | country\ of\ (?:birth|origin) | where\ (?:were\ you|you\ were|i\ was)\ born | ancestry
            | (?:were\ you|are\ you|i\ was)\ born | your\ (?:parents|ancestors) | where\ are\ you\ (?:originally\ )?from
            | (?:my|your|family|national|foreign|immigrant)\ (?:origins?|roots) | (?:migrant|immigrant|migration)\ background""",
        "fr": r"""
            ethni\w+ | racia(?:l|le|les|ux) | couleur\ de\ (?:ma\ |votre\ |la\ |leur\ )?peau | nationalite | immigr\w+
            | (?:pays|lieu)\ de\ naissance | (?:mes|vos)\ origines? | origines?\ (?:ethniques?|etrangeres?|sociales?|familiales?)
            | vos\ (?:parents|ancetres) | quelle\ origine\ (?:etes|est\ votre) | nee?s?\ (?:a\ l'etranger|en\ france)""",
    },
    "sex": {
        "en": r"lesbians? | gender\ identity | sex\ life | same[\ -]sex",
        "fr": r"lesbiennes? | identite\ de\ genre | vie\ intime | meme\ sexe",
    },
    "private": {
        "en": r"""
            (?:do\ you|i)\ (?:have|want|plan\ to\ have)\ (?:\w+\ )?(?:children|kids|a\ baby) | married | marital\ status | divorced?
            | (?:your|my)\ (?:spouse|husband|wife) | do\ you\ (?:smoke|drink)""",
        "fr": r"""
            (?:avez-vous|vouloir|d'avoir|j'ai)\ (?:\w+\ )?(?:enfants|un\ enfant) | mariee?s? | divorcee?s?
            | situation\ (?:familiale|maritale)
            | (?:votre|mon|ma)\ (?:conjointe?|mari|epouse|femme) | fume(?:z|ur|use) | vie\ de\ couple""",
    },
    "identity": {
        "en": r"""
            your\ (?:first\ |last\ |full\ )?name | your\ (?:e-?mail|phone|date\ of\ birth|age|employee\ (?:number|id)|job\ title)
            | how\ old\ are\ you | which\ (?:team|department|region)\ are\ you\ in""",
        "fr": r"""
            votre\ (?:nom|prenom|matricule|e-?mail|courriel|telephone|numero|age|date\ de\ naissance|intitule\ de\ poste)
            | quel\ age | (?:quelle|dans\ quelle)\ (?:est\ votre\ )?(?:equipe|region|direction)\ (?:etes|travaillez)""",
    },
}
#: What comes near one's health: a word to reconsider, not one to refuse.
NEAR_HEALTH = {
    "en": r"stress\w* | anxi(?:ous|ety) | exhaust(?:ed|ion|ing) | tired(?:ness)? | fatigue | headaches?",
    "fr": r"stress\w* | angoiss\w+ | anxie\w+ | epuise(?:e|s|es|ment)? | fatigu\w+ | maux\ de\ tete",
}
#: What comes near union membership.
NEAR_UNION = {
    "en": r"works\ council | (?:staff|employee)\ representatives?",
    "fr": r"cse | comite\ social | (?:delegue|representant)(?:e|s|es)?\ du\ personnel | elections?\ professionnelles?",
}
