"""What columns and files are called in English, French, Salesforce and HubSpot: where guesses begin."""

import re
import unicodedata

#: Words in a file's name that tell its table, the most telling table first.
FILES = {
    "deal_contacts": "contact_role deal_contact opportunity_contact",
    "deals": "opportunit pipeline deal affaire vente devis crm",
    "versions": "history historique version change journal log",
    "opportunities": "opportunit deal affaire vente pipeline",
    "accounts": "account company companies compan client societe compte customer entreprise",
    "reps": "user owner seller sales_team rep team commercia vendeur staff equipe",
    "contacts": "contact interlocuteur",
    "leads": "lead piste prospect",
    "activities": "activit task event call meeting tache appel rendez_vous rdv",
    "targets": "target quota objectif budget",
}
#: Words in a file's name that tell it feeds no table by itself.
NO_TABLE = (
    "history historique dictionary line_item merged merge pipeline_stage deal_stage deal_pipeline owner_team "
    "team_user user_role product produit catalogue order deal_company contact_list contact_form engagement_ email_ "
    "ticket property audit"
)

#: By table and field, what headers say, the best first.
FIELDS = {
    "deals": {
        "opportunity_id": (
            "opportunity_id deal_id id hs_object_id record_id n_affaire no_affaire numero_d_affaire n_d_affaire "
            "id_affaire reference ref code_affaire numero"
        ),
        "account_id": (
            "account_id company_id associated_company_id account account_name client client_id company customer "
            "customer_id societe compte raison_sociale code_client"
        ),
        "rep_id": (
            "owner_id hubspot_owner_id rep_id owner opportunity_owner deal_owner sales_agent sales_rep rep seller "
            "commercial vendeur proprietaire responsable charge_d_affaires"
        ),
        "stage": (
            "stage_name deal_pipeline_stage_id dealstage stage deal_stage etape phase stade etape_de_vente statut "
            "status etat"
        ),
        "created_at": (
            "created_date createdate created_at create_date creation_date engage_date created date_de_creation "
            "date_creation cree_le date_d_ouverture date_ouverture open_date"
        ),
        "closed_at": (
            "closed_at close_date closedate closed_date actual_close_date closed_on closed date_de_cloture_reelle "
            "date_cloture_reelle date_reelle_de_cloture cloture_reelle date_de_cloture date_cloture cloture_le "
            "cloturee_le cloture clos_le close_le date_de_gain_perte date_gain_perte date_gain_ou_perte "
            "date_de_gain_ou_perte gagne_perdu_le date_de_signature date_signature signe_le signee_le "
            "date_de_decision date_de_fin won_date"
        ),
        "expected_close_date": (
            "expected_close_date expected_close forecast_close_date date_de_cloture_prevue date_cloture_prevue "
            "date_prevue_de_cloture date_de_cloture_previsionnelle date_de_cloture_estimee date_de_signature_prevue "
            "date_previsionnelle echeance date_prevue cloture_prevue cloture_estimee expected expected_date prevue prevu "
            "prevue_le prevu_le"
        ),
        "amount": (
            "amount close_value deal_amount value deal_value montant montant_ht montant_signe ca ca_ht "
            "chiffre_d_affaires valeur revenue total prix"
        ),
        "currency": "currency_iso_code deal_currency_code currency devise monnaie",
        "deal_type": "type dealtype deal_type opportunity_type type_d_affaire nature",
        "product": "product product_name produit offre gamme product_family service",
        "lead_source": "lead_source source origine canal channel hs_analytics_source provenance",
        "forecast_category": (
            "forecast_category_name forecast_category hs_forecast_category hs_manual_forecast_category"
        ),
        "competitor": "competitor main_competitor concurrent main_competitors",
        "loss_reason": (
            "loss_reason lost_reason closed_lost_reason reason_lost motif_de_perte raison_de_perte motif_perte motif"
        ),
    },
    "accounts": {
        "account_id": (
            "account_id company_id hs_object_id id client_id code_client account account_name client societe "
            "raison_sociale company name nom"
        ),
        "name": "name account_name company_name nom raison_sociale societe account company client",
        "sector": "industry sector secteur secteur_d_activite activite",
        "segment": "segment tier size_class taille account_type type",
        "region": "region territory zone secteur_geographique",
        "country": "country billing_country pays office_location",
        "employees": "number_of_employees numberofemployees employees effectif effectifs nb_salaries salaries",
        "annual_revenue": "annual_revenue annualrevenue revenue ca_annuel chiffre_d_affaires ca",
        "parent_account_id": (
            "parent_id parent_account_id hs_parent_company_id subsidiary_of parent groupe maison_mere"
        ),
        "created_date": "created_date createdate date_de_creation client_depuis",
    },
    "reps": {
        "rep_id": (
            "owner_id rep_id user_id id login matricule sales_agent sales_rep rep seller commercial vendeur nom name"
        ),
        "name": "name full_name nom_complet sales_agent sales_rep commercial vendeur nom",
        "team": "team team_name equipe manager agence",
        "region": "region regional_office territory zone secteur bureau",
        "manager_id": "manager_id manager responsable n_1 superieur",
        "role": "title role job_title fonction poste",
        "hired_date": "hired_date hire_date start_date date_d_embauche date_d_entree date_entree",
        "left_date": "left_date end_date termination_date date_de_depart date_de_sortie date_sortie",
    },
    "contacts": {
        "contact_id": "contact_id vid hs_object_id id",
        "account_id": "account_id associated_company_id company_id company societe client",
        "job_function": "department job_function fonction service",
        "seniority": "seniority hs_seniority niveau",
    },
    "deal_contacts": {
        "opportunity_id": "opportunity_id deal_id",
        "contact_id": "contact_id",
        "role": "role category",
        "since": "created_date since",
    },
    "leads": {
        "lead_id": "lead_id id hs_object_id",
        "created_at": "created_date createdate created_at date_de_creation",
        "source": "lead_source source origine canal",
        "first_response_at": "first_response_at first_response premiere_reponse",
        "qualified_at": "converted_date qualified_at date_de_qualification",
        "rep_id": "owner_id owner commercial",
        "opportunity_id": "converted_opportunity_id opportunity_id",
    },
    "activities": {
        "activity_id": "activity_id id engagement_id",
        "at": "completed_date_time activity_date start_date_time start_time timestamp date created_date",
        "kind": "task_subtype type kind engagement_type event_subtype",
        "opportunity_id": "what_id opportunity_id deal_id opportunity_c",
        "contact_id": "who_id contact_id",
        "rep_id": "owner_id owner commercial",
        "direction": "direction call_type sens",
        "duration_minutes": "duration_in_minutes duration_minutes duree_minutes duree",
    },
    "targets": {
        "target_id": "target_id id",
        "scope": "scope niveau",
        "scope_id": "scope_id team equipe region",
        "start_date": "start_date debut date_de_debut from",
        "end_date": "end_date fin date_de_fin until",
        "amount": "amount target quota objectif montant",
    },
}
#: Where a CRM keeps one row per change of a deal, apart from what never changes.
FIELDS["opportunities"] = {
    name: FIELDS["deals"][name]
    for name in ("opportunity_id", "account_id", "created_at", "deal_type", "product", "lead_source")
} | {"created_at": FIELDS["deals"]["created_at"] + " created_on"}
FIELDS["versions"] = {
    "opportunity_id": "opportunity_id deal_id id_affaire n_affaire reference id",
    "valid_from": (
        "valid_from changed_at changed_on change_date modified_at date_de_changement date_de_modification modifie_le "
        "timestamp created_date since depuis date"
    ),
} | {
    name: FIELDS["deals"][name]
    for name in ("rep_id", "stage", "amount", "currency", "expected_close_date", "forecast_category", "loss_reason")
}
for _table in ("accounts", "reps", "contacts", "targets", "versions"):
    FIELDS[_table] |= {
        "valid_from": " ".join(
            [
                "valid_from fivetran_start dbt_valid_from effective_from effective_start valide_du date_debut_validite",
                FIELDS[_table].get("valid_from", ""),
            ]
        ),
        "valid_to": "valid_to fivetran_end dbt_valid_to effective_to effective_end valide_au date_fin_validite",
    }
#: What may stand beside the events of a log.
FIELDS["events"] = {
    name: FIELDS["deals"][name]
    for name in (
        "account_id", "amount", "currency", "expected_close_date", "deal_type", "product", "lead_source",
        "forecast_category", "competitor",
    )
}  # fmt: skip
#: What headers say in files that are no table by themselves.
TOLD = {
    "changes": {
        "at": "changed_at changed_on timestamp created_date modified_at modified_date date_de_changement modifie_le date",
        "field": "field field_name property property_name name champ propriete",
        "value": "new_value value to_value valeur nouvelle_valeur",
        "old_value": "old_value previous_value from_value ancienne_valeur",
    },
    "events": {
        "case": "case case_id case_concept_name id_case trace dossier id_dossier deal_id opportunity_id affaire",
        "activity": "activity activity_name concept_name event event_name task activite evenement tache",
        "at": "timestamp time_timestamp complete_timestamp start_timestamp time event_time date heure horodatage",
        "resource": "resource org_resource user user_id performer ressource utilisateur",
    },
}
#: What headers of a file of deals say about the clients and sellers it names, where no other file holds them.
SAID_BY_DEALS = {
    "accounts": {
        "name": "account_name company_name client_name customer_name nom_du_client nom_client raison_sociale",
        "sector": "industry sector secteur secteur_d_activite secteur_client",
        "segment": "segment account_segment tier taille taille_client",
        "region": "region territory zone",
        "country": "country billing_country pays",
    },
    "reps": {"name": "owner_name rep_name nom_du_commercial", "team": "team sales_team team_name equipe agence"},
}
#: Columns that mark a row as deleted.
DELETED = ["is_deleted", "deleted", "is_archived", "archived", "supprime", "archive"]
#: Loss reasons, and names of stages, of a deal that ended without a decision.
UNDECIDED = (
    r"no_decision|non_decision|sans_(suite|reponse|decision|nouvelle)|abandon|pas_de_(reponse|decision)|"
    r"no_(response|reply)|unresponsive|projet_(annule|reporte|abandonne)|(cancel|postpon)|statu_quo|status_quo"
)
#: Columns whose name tells that they hold what never enters a book.
PERSONAL = {
    "e-mail addresses": r"e_?mail|courriel",
    "phone numbers": r"phone|telephone|mobile|portable|^fax$|^tel$",
    "names of people": r"first_?name|last_?name|prenom|nom_de_famille|full_name|salutation",
    "free text": r"description|note|comment|body|subject|next_step|signature|about_me|texte",
    "addresses": r"street|address|adresse|postal|zip|latitude|longitude|photo|url",
}
_ORDER = r"(purchase_)?orders?|(bon_de_)?commandee?s?"
_DONE = (
    r"received|placed|signed|confirmed|booked|taken|accepted|recue?s?|passee?s?|signee?s?|confirmee?s?|enregistree?s?|"
    r"validee?s?|acceptee?s?|ferme|client"
)
#: What a stage is, by the words in its name. The first that matches counts.
STAGE_KINDS = [
    ("disqualified", r"disqualif|non_qualifie|junk|spam|doublon|duplicate|invalid"),
    (
        "lost",
        r"lost|perdu|loss|abandon|no_decision|sans_suite|refus|churn|closed_no|^(cancell?ed|annulee?s?)(_|$)|"
        rf"(^|_)({_ORDER})_(\w+_)?(cancel|annul|reject|declin)|(cancel|annul)\w*_(\w+_)?({_ORDER})(_|$)",
    ),
    (
        "won",
        r"won|gagne|signe|win$|success|vendu|"
        rf"^((prise|reception|signature)_((de|du|la)_)*)?({_ORDER})(_({_DONE}))*$|^({_DONE})_({_ORDER})$",
    ),
]
#: Open stages in the order in which deals usually cross them.
STAGE_ORDER = [
    r"prospect|lead|piste|nouveau|^new|identif|contact|appointment|rendez|rdv|suspect",
    r"qualif|discover|decouvert|engag|needs|besoin|analys|interest",
    r"demo|present|solution|evaluat|value|visite|etude|pilot|poc",
    r"propos|offer|offre|quote|devis|price|chiffrage|decision_maker",
    r"negoc|negot|review|relance|decision",
    r"verbal|commit|contract|contrat|legal|accord|closing",
]
ACTIVITY_KINDS = [
    ("email", r"mail|courriel"),
    ("call", r"call|appel|phone|telephone"),
    ("demo", r"demo"),
    ("meeting", r"meet|event|visit|rendez|rdv|reunion"),
    ("message", r"message|sms|chat|linkedin|whatsapp"),
    ("task", r"task|tache|todo"),
    ("other", r"other|autre|note"),
]
DEAL_TYPES = [
    ("renewal", r"renew|renouv|reconduc|recurring"),
    ("expansion", r"existing|upsell|cross|expan|upgrade|add_on|extension|existant|complement|avenant"),
    ("new", r"new|nouv|conquete|acquis|logo"),
]


def plain(name: str) -> str:
    """A header or a value in lower case, without accents, its words joined by underscores: CloseDate is close_date."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    text = unicodedata.normalize("NFKD", text.replace("°", "")).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    return re.sub(r"^property_(?:hs_)?|_c$", "", text)
