"""The courts desk: convictions, robberies and frauds."""

from lightbulb_envs.sources.newsroom.desk import Desk, Event, Predicate

SENTENCE = Predicate(
    "sentence",
    subject="actor",
    weight=1.0,
    polarity=-1,
    tiers=((2, 3), (5, 9), (15, 40)),
    unit="years",
    main=(
        "{actor} must go to prison for {n} years",
        "the sentence was {n} years",
        "the court [imposed|decided on] {n} years in prison",
        "{actor} was sent to prison for {n} years",
    ),
    tail=("imposing {n} years in prison",),
    reference=("{actor} got {n} years", "the term is {n} years"),
    reference_tail=("with a sentence of {n} years",),
    ood=("{actor} will spend {n} years behind bars", "the penalty is {n} years of custody"),
    ood_tail=("meting out {n} years",),
)
VICTIMS = Predicate(
    "victims",
    subject="event",
    weight=0.7,
    polarity=-1,
    tiers=((2, 6), (14, 60), (200, 5000)),
    unit="victims",
    main=(
        "there were {n} victims",
        "prosecutors counted {n} victims",
        "{n} people were [cheated|harmed]",
        "the case involves {n} victims",
    ),
    reference=("{n} people suffered", "the victims number {n}"),
    ood=("{n} people bore the brunt", "the file lists {n} injured parties"),
)
STOLEN = Predicate(
    "stolen",
    subject="actor",
    weight=0.9,
    polarity=-1,
    tiers=((2, 5), (12, 40), (90, 700)),
    style="digits",
    unit="million dollars",
    main=(
        "the damage [was put at|came to] ${n} million",
        "${n} million had disappeared",
        "the loot is worth ${n} million",
        "{n} million dollars are still missing",
    ),
    tail=("making off with ${n} million", "with damage of ${n} million"),
    reference=("${n} million was taken", "the sum was ${n} million"),
    reference_tail=("with ${n} million gone",),
    ood=("${n} million was spirited away", "the haul was ${n} million"),
    ood_tail=("netting ${n} million",),
)
WITNESSES = Predicate(
    "witnesses",
    subject="event",
    weight=0.35,
    tiers=((3, 9), (20, 60), (120, 400)),
    unit="witnesses",
    main=(
        "the court heard {n} witnesses",
        "{n} witnesses [testified|were heard]",
        "detectives questioned {n} witnesses",
        "{n} people gave evidence",
    ),
    tail=("after hearing {n} witnesses",),
    reference=("{n} witnesses spoke", "{n} people testified"),
    reference_tail=("after {n} witnesses",),
    ood=("{n} people took the stand", "statements were gathered from {n} people"),
    ood_tail=("on the word of {n} people",),
)
COURT_FINE = Predicate(
    "fine",
    subject="body",
    weight=0.6,
    polarity=-1,
    tiers=((2000, 9000), (20000, 90000), (200000, 900000)),
    style="digits",
    unit="dollars",
    main=(
        "the court added a fine of ${n}",
        "there is also a fine of ${n}",
        "{actor} has to pay ${n}",
        "{actor} was ordered to pay ${n}",
    ),
    reference=("a fine of ${n} was added", "{actor} must pay ${n}"),
    ood=("a levy of ${n} was tacked on", "{actor} forfeits ${n}"),
)
MOTIVE = Predicate(
    "motive",
    subject="actor",
    weight=0.8,
    values=(
        "gambling debts",
        "an old feud",
        "revenge for a dismissal",
        "a blackmail letter",
        "greed",
    ),
    ood_values=("a wounded pride", "a family quarrel"),
    main=(
        "the motive was {value}",
        "prosecutors spoke of {value}",
        "{actor} had acted out of {value}",
        "behind it all stood {value}",
    ),
    reference=("the reason was {value}", "{value} drove {actor}"),
    ood=("{value} had been the spur", "{actor} was egged on by {value}"),
)
APPEAL = Predicate(
    "next_step",
    subject="actor",
    weight=0.65,
    values=(
        "an appeal",
        "a second trial",
        "a plea for mercy",
        "a civil suit",
        "an extradition request",
    ),
    ood_values=("a retrial", "a constitutional complaint"),
    main=(
        "the defence [announced|is preparing] {value}",
        "{value} is [expected|likely]",
        "lawyers for {actor} promised {value}",
        "the case will continue with {value}",
    ),
    reference=("{value} will follow", "lawyers plan {value}"),
    ood=("{value} is on the cards", "counsel for {actor} threatened {value}"),
)
ARRESTED = Predicate(
    "arrested",
    subject="body",
    weight=0.75,
    tiers=((2, 4), (7, 15), (30, 120)),
    unit="suspects",
    main=(
        "police arrested {n} suspects",
        "{n} suspects are in custody",
        "{body} has {n} suspects behind bars",
        "officers took {n} people into custody",
    ),
    reference=("{n} suspects were caught", "police hold {n} people"),
    ood=("{n} alleged accomplices were nabbed", "handcuffs clicked on {n} people"),
)
OFFICERS = Predicate(
    "officers",
    subject="body",
    weight=0.4,
    tiers=((8, 30), (60, 200), (400, 2000)),
    unit="officers",
    main=(
        "{n} officers took part in the search",
        "{body} [sent|deployed] {n} officers",
        "the search was carried out by {n} officers",
        "{n} officers combed the area",
    ),
    reference=("{n} officers were on duty", "{n} officers searched the area"),
    ood=("a force of {n} fanned out", "{n} constables were mobilised"),
)
WEAPON = Predicate(
    "weapon",
    subject="actor",
    weight=0.55,
    polarity=-1,
    values=("a toy pistol", "a stolen key", "a forged letter", "a hacked computer", "a rented van"),
    ood_values=("a crowbar", "a cloned card"),
    main=(
        "the tool was {value}",
        "{actor} had used {value}",
        "detectives found {value}",
        "{value} had opened the way",
    ),
    reference=("{actor} used {value}", "it was done with {value}"),
    ood=("{value} did the trick", "{actor} had resorted to {value}"),
)
DAYS = Predicate(
    "days",
    subject="event",
    weight=0.4,
    tiers=((2, 5), (12, 40), (80, 300)),
    unit="days",
    main=(
        "the case had lasted {n} days",
        "it took the court {n} days",
        "the work of the investigators took {n} days",
        "{n} days had passed since the beginning of the case",
    ),
    tail=("after {n} days",),
    reference=("the case took {n} days", "it lasted {n} days"),
    reference_tail=("at the end of {n} days",),
    ood=("proceedings had dragged on for {n} days", "{n} days had been consumed"),
    ood_tail=("capping {n} days of proceedings",),
)
HURT = Predicate(
    "injured",
    subject="event",
    weight=0.85,
    polarity=-1,
    tiers=((2, 3), (5, 9), (14, 50)),
    unit="people",
    main=(
        "{n} people were [hurt|injured]",
        "{n} customers and guards suffered injuries",
        "doctors treated {n} people for shock and cuts",
        "{event} left {n} people injured",
    ),
    tail=("injuring {n} people",),
    reference=("{n} got hurt", "{n} were injured"),
    reference_tail=("with {n} hurt",),
    ood=("{n} bystanders were harmed", "{n} people needed bandages"),
    ood_tail=("harming {n} bystanders",),
)

COURT_SINCE = Predicate(
    "court_opened",
    subject="place",
    weight=0.15,
    tiers=((1890, 1929), (1930, 1969), (1970, 2009)),
    style="year",
    main=(
        "the courthouse in {place} was built in {n}",
        "the courthouse in {place} dates from {n}",
        "{place} has had its own court since {n}",
    ),
    ood=("the courthouse in {place} went up in {n}", "justice has been done in {place} since {n}"),
)
CASES = Predicate(
    "cases",
    subject="body",
    weight=0.2,
    tiers=((30, 90), (200, 900), (3000, 20000)),
    unit="cases",
    main=(
        "{body} deals with {n} cases a year",
        "{n} cases a year pass through {body}",
        "last year {body} handled {n} cases",
    ),
    ood=("the docket of {body} holds {n} cases", "{body} wades through {n} cases annually"),
)
PAST = Predicate(
    "record_of_person",
    subject="actor",
    weight=0.25,
    tiers=((1980, 1994), (1995, 2007), (2008, 2018)),
    style="year",
    main=(
        "{actor} had first been in court in {n}",
        "{actor} moved to {place} in {n}",
        "neighbours had known {actor} since {n}",
    ),
    ood=("{actor} settled in {place} in {n}", "a first file on {actor} dates from {n}"),
)
CRIME_RATE = Predicate(
    "crime",
    subject="place",
    weight=0.2,
    tiers=((2, 6), (9, 18), (25, 60)),
    unit="percent",
    main=(
        "crime in {place} has fallen by {n} percent in ten years",
        "{place} recorded {n} percent fewer crimes last year",
        "the police in {place} solve {n} percent of all thefts",
    ),
    ood=(
        "offences in {place} are {n} percent rarer than before",
        "{place} is {n} percent safer than a decade ago",
    ),
)

COURTS = Desk(
    name="courts",
    roles=("Banker|the banker", "Dealer|the dealer", "Surgeon|the surgeon", "Broker|the broker"),
    bodies=(
        "Crime Squad|the squad",
        "Prosecution Office|the office",
        "Police Department|the department",
    ),
    body_names="places",
    voices=("neighbour", "lawyer", "victim", "juror", "detective", "former partner"),
    sources=("prosecutors", "the police", "court officials", "investigators"),
    praise=(
        "“Justice has been done at last,” said {voice}",
        "“The investigators did a brilliant job,” {voice} said",
        "“I feel safe again,” said {voice}",
        "{voice} thanked the officers for their patience",
    ),
    criticism=(
        "“This is an insult to all of us,” said {voice}",
        "“The whole case was a mess,” {voice} said",
        "“I have lost all my savings and all my trust,” said {voice}",
        "{voice} was angry about the many mistakes",
    ),
    ood_praise=(
        "“A resounding win for decency,” {voice} said",
        "{voice} commended the thoroughness of the work",
        "“At long last we can sleep soundly,” said {voice}",
        "“Painstaking work has paid off,” said {voice}",
    ),
    ood_criticism=(
        "“A travesty,” {voice} said",
        "{voice} fumed about the bungling",
        "“They have made fools of the victims,” said {voice}",
        "“My savings are gone for good,” said {voice}",
    ),
    backgrounds=(COURT_SINCE, CASES, PAST, CRIME_RATE),
    events=(
        Event(
            "conviction",
            weight=1.5,
            polarity=-1,
            nouns=("trial", "verdict"),
            things=(
                "murder case",
                "bribery case",
                "kidnapping case",
                "poisoning case",
                "smuggling case",
            ),
            main=(
                "a court in {place} found {actor} guilty in {thing} {day}",
                "{actor} was [convicted|found guilty] in {thing} in {place} {day}",
                "the verdict in {thing} against {actor} was guilty in {place} {day}",
                "after work by {body}, a court in {place} convicted {actor} in {thing} {day}",
            ),
            reference=(
                "{actor} was convicted in {place}",
                "{actor} is guilty in {thing} in {place}",
            ),
            ood=(
                "judges in {place} pronounced {actor} guilty in {thing} {day}",
                "{thing} against {actor} closed in {place} {day} with a guilty verdict",
            ),
            predicates=(SENTENCE, VICTIMS, WITNESSES, COURT_FINE, MOTIVE, APPEAL, DAYS),
        ),
        Event(
            "robbery",
            weight=1.4,
            polarity=-1,
            nouns=("robbery", "raid"),
            things=(
                "jewellery shop",
                "savings bank",
                "art museum",
                "money transport",
                "auction house",
            ),
            main=(
                "{actor} [robbed|raided] {thing} in {place} {day}, {body} announced",
                "{thing} in {place} was [robbed|raided] {day} and {actor} is the main suspect",
                "a gang led by {actor} [robbed|attacked] {thing} in {place} {day}",
                "{body} named {actor} as the suspect after {thing} in {place} was robbed {day}",
            ),
            reference=("{thing} in {place} was robbed", "a gang robbed {thing} in {place} {day}"),
            ood=(
                "{actor} ransacked {thing} in {place} {day}, {body} stated",
                "{thing} in {place} was plundered {day}, allegedly by {actor}",
            ),
            predicates=(STOLEN, ARRESTED, OFFICERS, HURT, WEAPON, MOTIVE, WITNESSES),
        ),
        Event(
            "fraud",
            weight=1.4,
            polarity=-1,
            nouns=("fraud", "swindle"),
            things=("pension fund", "housing fund", "charity", "investment club", "insurance fund"),
            main=(
                "{actor} was [accused|suspected] {day} of cheating {thing} in {place}",
                "{body} charged {actor} {day} with defrauding {thing} in {place}",
                "{actor} [cheated|defrauded] {thing} in {place}, {body} said {day}",
                "a fraud at {thing} in {place} came to light {day} and {actor} was charged",
            ),
            reference=(
                "{actor} is accused of cheating {thing}",
                "{thing} in {place} was defrauded",
            ),
            ood=(
                "{body} indicted {actor} {day} for fleecing {thing} in {place}",
                "{actor} stands indicted since {day} over {thing} in {place}",
            ),
            predicates=(STOLEN, VICTIMS, ARRESTED, MOTIVE, APPEAL, DAYS, COURT_FINE, WEAPON),
        ),
    ),
)
