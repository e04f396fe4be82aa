"""What the invented staff write, by what weighs on them; most of them in French, those of London in English too."""

COMMENTS: dict[str, dict[str, list[str]]] = {
    "workload": {
        "bad": [
            "Trop de dossiers en même temps : je réponds, je ne vends plus.",
            "Les relances passent après tout le reste, faute de temps.",
            "Deux postes vacants, et leurs clients sont arrivés chez nous.",
            "La fin de trimestre déborde tous les soirs.",
            "On ajoute des priorités, on n'en retire jamais.",
            "Three deals would get my full week; I have fourteen.",
            "Le reporting du lundi mange la matinée où les clients décrochent.",
            "Impossible de préparer un rendez-vous entre deux urgences.",
            "Les renouvellements devraient être partagés autrement.",
            "I spend Fridays catching up on what Monday promised.",
        ],
        "good": [
            "La charge est enfin tenable depuis le nouveau partage des comptes.",
            "On m'a laissé dire non à un appel d'offres perdu d'avance, et c'était juste.",
            "Semaine bien remplie, mais je sais quoi faire d'abord.",
            "Le renfort au support a tout changé pour nous.",
        ],
    },
    "manager": {
        "bad": [
            "Nos points individuels sautent une fois sur deux.",
            "J'apprends les décisions en réunion d'équipe, comme tout le monde.",
            "J'aimerais un retour sur mes rendez-vous, pas seulement sur mes chiffres.",
            "Les arbitrages arrivent trop tard pour le client.",
            "Beaucoup de contrôle, peu d'aide.",
            "My one-to-one has moved four times this quarter.",
            "On ne sait pas qui décide d'une remise.",
        ],
        "good": [
            "Mon point du mardi m'aide vraiment à avancer.",
            "On peut dire qu'une affaire va mal sans se le voir reprocher.",
            "Une vraie présence au rendez-vous de négociation, merci.",
            "I get honest feedback the same week, and it helps.",
            "On décide vite, et on m'explique pourquoi.",
            "Mon responsable a défendu le délai auprès du client.",
        ],
    },
    "recognition": {
        "bad": [
            "On parle des affaires signées, jamais de celles qu'on a bien perdues.",
            "Le travail de l'avant-vente ne se voit nulle part.",
            "Un renouvellement sauvé mérite un mot.",
            "Les réussites des petites équipes passent inaperçues.",
            "Thanks go to whoever signs, not to whoever prepared.",
        ],
        "good": [
            "Le mot du directeur après l'appel d'offres a fait plaisir à tous.",
            "On se félicite entre équipes, c'est nouveau.",
            "Good to see customer success named in the wins.",
            "Mon travail sur le dossier public a été reconnu.",
        ],
    },
    "tools": {
        "bad": [
            "Je saisis la même chose dans trois écrans.",
            "Le configurateur plante dès qu'il y a plus de dix lignes.",
            "L'application mobile ne garde pas les comptes rendus.",
            "Chercher un ancien devis prend dix minutes.",
            "The quote tool times out in front of customers.",
        ],
        "good": [
            "Le nouveau configurateur fait gagner une heure par devis.",
            "La signature électronique a supprimé une semaine d'attente.",
            "Finally one screen for the whole account.",
            "Les modèles d'offre sont enfin à jour.",
        ],
    },
    "process": {
        "bad": [
            "La validation juridique bloque des affaires déjà gagnées.",
            "Chaque région a sa règle de remise.",
            "Le passage de relais à la livraison se fait au hasard.",
            "Four approvals for a discount of two per cent.",
        ],
        "good": [
            "La revue hebdomadaire évite les surprises de fin de mois.",
            "Le circuit de validation raccourci fonctionne.",
            "Handover to delivery is clear at last.",
        ],
    },
    "data": {
        "bad": [
            "Les contacts de la base sont périmés.",
            "Mes chiffres ne sont pas ceux de la direction.",
            "On ne sait pas d'où viennent les leads qu'on nous attribue.",
            "Half the phone numbers in my list are dead.",
        ],
        "good": [
            "Le tableau des affaires à relancer est juste, enfin.",
            "I trust the pipeline figures now.",
            "Les fiches clients sont complètes depuis le nettoyage.",
        ],
    },
    "pay": {
        "bad": [
            "Le variable change trop souvent de règle.",
            "Je ne sais pas calculer ma prime.",
            "Les objectifs n'ont pas suivi le départ de deux collègues.",
            "The accelerator starts where nobody gets.",
        ],
        "good": [
            "Le nouveau plan est clair, on voit ce qu'on gagne.",
            "Prime versée à temps et détaillée, merci.",
            "I can check my own commission now.",
        ],
    },
}
