"""The science desk: discoveries, drug trials and space missions."""

from dataclasses import replace

from lightbulb_envs.sources.newsroom.desk import Desk, Event, Predicate

AGE = Predicate(
    "age",
    subject="thing",
    weight=0.95,
    tiers=((2, 9), (20, 90), (150, 500)),
    style="digits",
    unit="million years",
    main=(
        "{event} is {n} million years old",
        "tests [dated|put] the age of {event} at {n} million years",
        "{event} goes back {n} million years",
        "it is {n} million years since the animal lived",
    ),
    tail=("dating back {n} million years",),
    reference=("{event} is about {n} million years old", "its age is {n} million years"),
    reference_tail=("aged {n} million years",),
    ood=("the remains hark back {n} million years", "its age was reckoned at {n} million years"),
    ood_tail=("harking back {n} million years",),
)
COST = Predicate(
    "cost",
    subject="body",
    weight=0.5,
    tiers=((2, 9), (20, 80), (150, 900)),
    style="digits",
    unit="million dollars",
    main=(
        "the project cost ${n} million",
        "{body} [spent|invested] ${n} million",
        "the research was funded with ${n} million",
        "the bill so far is ${n} million",
    ),
    reference=("it cost ${n} million", "the price was ${n} million"),
    ood=("the outlay was ${n} million", "{body} sank ${n} million into the work"),
)
YEARS = Predicate(
    "years_of_work",
    subject="actor",
    weight=0.45,
    tiers=((2, 4), (6, 9), (14, 40)),
    unit="years",
    main=(
        "{actor} had worked on it for {n} years",
        "the work took {n} years",
        "it is the result of {n} years of work",
        "the team needed {n} years",
    ),
    tail=("after {n} years of work",),
    reference=("it took {n} years", "{n} years of work lie behind it"),
    reference_tail=("after {n} years",),
    ood=("{n} years of toil went into it", "{actor} had toiled for {n} years"),
    ood_tail=("following {n} years of toil",),
)
PIECES = Predicate(
    "pieces",
    subject="event",
    weight=0.65,
    tiers=((2, 9), (20, 90), (300, 4000)),
    unit="pieces",
    main=(
        "{n} pieces were [found|dug up]",
        "the team [recovered|cleaned] {n} pieces",
        "the find consists of {n} pieces",
        "{actor} and the team put together {n} pieces",
    ),
    reference=("{n} pieces were recovered", "the find has {n} pieces"),
    ood=("{n} fragments came to light", "the haul comprises {n} fragments"),
)
MEANING = Predicate(
    "meaning",
    subject="event",
    weight=0.85,
    values=(
        "a new species",
        "an early human camp",
        "a missing link",
        "a sudden change of climate",
        "an unknown sea",
    ),
    ood_values=("a vanished island", "a lost lineage"),
    main=(
        "{actor} believes that it points to {value}",
        "the find is evidence of {value}",
        "it is the first proof of {value}",
        "researchers see signs of {value}",
    ),
    reference=("it points to {value}", "the find suggests {value}"),
    ood=("{actor} reads it as a trace of {value}", "it betrays {value}"),
)
PATIENTS = Predicate(
    "patients",
    subject="event",
    weight=0.6,
    tiers=((12, 60), (200, 900), (5000, 60000)),
    unit="patients",
    main=(
        "{n} patients took part",
        "the study [followed|included] {n} patients",
        "{body} tested it on {n} patients",
        "doctors treated {n} patients",
    ),
    tail=("after tests on {n} patients", "in a study of {n} patients"),
    reference=("{n} patients were tested", "the study had {n} patients"),
    reference_tail=("in {n} patients",),
    ood=("{n} volunteers were enrolled", "the cohort numbered {n}"),
    ood_tail=("in a cohort of {n}",),
)
EFFECT = Predicate(
    "effect",
    subject="thing",
    weight=1.0,
    polarity=1,
    tiers=((6, 12), (24, 45), (65, 95)),
    unit="percent",
    main=(
        "the risk of dying fell by {n} percent",
        "it [worked|helped] in {n} percent of cases",
        "{n} percent of those treated recovered",
        "the treatment helped {n} percent of the patients",
    ),
    tail=("helping {n} percent of those treated",),
    reference=("it helped {n} percent", "{n} percent of the patients got better"),
    reference_tail=("helping {n} percent",),
    ood=("{n} percent were cured", "a response was seen in {n} percent"),
    ood_tail=("curing {n} percent",),
)
SIDE_EFFECTS = Predicate(
    "side_effects",
    subject="thing",
    weight=0.7,
    polarity=-1,
    tiers=((2, 4), (8, 15), (25, 60)),
    unit="percent",
    main=(
        "{n} percent of the patients had side effects",
        "side effects were [seen|reported] in {n} percent",
        "{n} percent had to stop the treatment",
        "doctors noted side effects in {n} percent of cases",
    ),
    reference=("{n} percent had side effects", "side effects hit {n} percent"),
    ood=("{n} percent tolerated it poorly", "adverse reactions arose in {n} percent"),
)
TRIAL_STEP = Predicate(
    "next_step",
    subject="body",
    weight=0.75,
    values=(
        "a larger trial",
        "a review by the regulator",
        "a test in children",
        "an independent check",
    ),
    ood_values=("a replication abroad", "a hearing of experts"),
    main=(
        "{body} plans {value}",
        "the next step is {value}",
        "{value} will [begin|start] next year",
        "{actor} is [calling for|preparing] {value}",
    ),
    reference=("{value} is planned", "{value} comes next"),
    ood=("{body} has {value} in its sights", "{value} is on the agenda"),
)
DIG_STEP = replace(
    TRIAL_STEP,
    values=("a second dig", "a museum show", "a scan of the bones", "a search of the area"),
    ood_values=("a dig abroad", "a hearing of experts"),
)
MISSION_STEP = replace(
    TRIAL_STEP,
    values=("a second mission", "a test of the engines", "a longer flight", "a crewed flight"),
    ood_values=("a joint venture", "a swing past the sun"),
)
DISTANCE = Predicate(
    "distance",
    subject="thing",
    weight=0.7,
    tiers=((2, 9), (20, 90), (200, 900)),
    style="digits",
    unit="million kilometres",
    main=(
        "the journey covers {n} million kilometres",
        "it will travel {n} million kilometres",
        "the target is {n} million kilometres away",
        "{n} million kilometres lie ahead",
    ),
    tail=("for a journey of {n} million kilometres",),
    reference=("the journey is {n} million kilometres long", "it flies {n} million kilometres"),
    reference_tail=("over {n} million kilometres",),
    ood=("its path measures {n} million kilometres", "{n} million kilometres must be crossed"),
    ood_tail=("on a path of {n} million kilometres",),
)
INSTRUMENTS = Predicate(
    "instruments",
    subject="thing",
    weight=0.5,
    tiers=((2, 3), (5, 9), (14, 40)),
    unit="instruments",
    main=(
        "it carries {n} instruments",
        "{n} instruments are on board",
        "{body} built {n} instruments for it",
        "the load [includes|consists of] {n} instruments",
    ),
    tail=("with {n} instruments on board",),
    reference=("it flies with {n} instruments", "it has {n} instruments"),
    reference_tail=("carrying {n} instruments",),
    ood=("the payload holds {n} devices", "{n} devices are stowed inside"),
    ood_tail=("laden with {n} devices",),
)
DELAY = Predicate(
    "delay",
    subject="event",
    weight=0.55,
    polarity=-1,
    tiers=((2, 5), (8, 14), (20, 60)),
    unit="months",
    main=(
        "the start had been delayed by {n} months",
        "it came {n} months late",
        "technical trouble had cost {n} months",
        "{body} had lost {n} months to repairs",
    ),
    reference=("it was {n} months late", "the delay was {n} months"),
    ood=("{n} months had been frittered away", "the schedule had slipped by {n} months"),
)
GOAL = Predicate(
    "goal",
    subject="thing",
    weight=0.9,
    values=(
        "water under the ice",
        "traces of life",
        "a map of the dark side",
        "the source of meteorites",
        "a magnetic storm",
    ),
    ood_values=("frozen methane", "a buried crater"),
    main=(
        "it will look for {value}",
        "the goal is {value}",
        "{actor} hopes to find {value}",
        "scientists are searching for {value}",
    ),
    reference=("it is to find {value}", "the aim is {value}"),
    ood=("it is hunting {value}", "the quarry is {value}"),
)

INSTITUTE_FOUNDED = Predicate(
    "founded",
    subject="body",
    weight=0.15,
    tiers=((1890, 1929), (1930, 1969), (1970, 2009)),
    style="year",
    main=(
        "{body} was founded in {n}",
        "{body} has carried out research since {n}",
        "{body} opened in {n}",
    ),
    ood=("{body} was established in {n}", "the charter of {body} is from {n}"),
)
RESEARCHERS = Predicate(
    "staff",
    subject="body",
    weight=0.2,
    tiers=((12, 60), (90, 400), (900, 6000)),
    unit="people",
    main=(
        "{body} has {n} employees",
        "{n} people work at {body}",
        "{body} employs {n} people",
    ),
    ood=("{n} people are on the rolls of {body}", "{body} retains {n} people"),
)
PAPERS = Predicate(
    "papers",
    subject="actor",
    weight=0.2,
    tiers=((4, 9), (20, 60), (90, 400)),
    unit="papers",
    main=(
        "{actor} has published {n} papers",
        "{actor} is the author of {n} papers",
        "{n} papers bear the name of {actor}",
    ),
    ood=("{actor} has {n} articles in print", "the output of {actor} runs to {n} articles"),
)
FIELD_SINCE = Predicate(
    "field_since",
    subject="actor",
    weight=0.2,
    tiers=((1970, 1984), (1985, 1999), (2000, 2014)),
    style="year",
    main=(
        "{actor} came to {place} in {n}",
        "{actor} has worked in the field since {n}",
        "{actor} finished university in {n}",
    ),
    ood=("{actor} took up the subject in {n}", "the first chair of {actor} dates from {n}"),
)

SCIENCE = Desk(
    name="science",
    roles=("Professor|the professor", "Doctor|the doctor", "Researcher|the researcher"),
    bodies=(
        "Institute|the institute",
        "University|the university",
        "Laboratory|the laboratory",
        "Observatory|the observatory",
    ),
    body_names="places",
    voices=("colleague", "historian", "patient", "engineer", "museum director", "student"),
    sources=("the researchers", "the team", "the journal", "a spokeswoman"),
    praise=(
        "“This is a dream come true,” said {voice}",
        "“It is a beautiful piece of work,” {voice} said",
        "“It changes everything we knew,” said {voice}",
        "{voice} called the result a triumph",
    ),
    criticism=(
        "“The evidence is far too thin,” said {voice}",
        "“I would not bet a cent on it,” {voice} said",
        "“The money should have been spent elsewhere,” said {voice}",
        "{voice} warned of false hopes",
    ),
    ood_praise=(
        "“Simply dazzling,” {voice} said",
        "{voice} marvelled at the precision",
        "“Textbooks will be rewritten,” said {voice}",
        "“An elegant and convincing result,” said {voice}",
    ),
    ood_criticism=(
        "“Wishful thinking,” {voice} said",
        "{voice} scoffed at the claims",
        "“The figures simply do not add up,” said {voice}",
        "“A lot of noise about very little,” said {voice}",
    ),
    backgrounds=(INSTITUTE_FOUNDED, RESEARCHERS, PAPERS, FIELD_SINCE),
    events=(
        Event(
            "discovery",
            weight=1.3,
            polarity=1,
            nouns=("find", "discovery"),
            things=("quarry", "cave", "dry lake", "gravel pit", "tunnel"),
            main=(
                "{actor} of {body} [found|discovered] a skeleton in {thing} near {place} {day}",
                "a skeleton was [found|dug up] in {thing} near {place} {day} by {actor} of {body}",
                "{body} presented {day} a skeleton that {actor} had found in {thing} near {place}",
                "{actor} came upon a skeleton in {thing} near {place} {day}",
            ),
            reference=(
                "{actor} discovered a skeleton near {place}",
                "a skeleton lay in {thing} near {place}",
            ),
            ood=(
                "{actor} of {body} unearthed bones in {thing} near {place} {day}",
                "bones emerged from {thing} near {place} {day}, {actor} revealed",
            ),
            predicates=(AGE, COST, YEARS, PIECES, MEANING, DIG_STEP),
        ),
        Event(
            "trial",
            weight=1.4,
            polarity=1,
            nouns=("study", "trial"),
            things=(
                "malaria vaccine",
                "cancer drug",
                "heart pill",
                "gene therapy",
                "diabetes drug",
            ),
            main=(
                "{actor} of {body} presented a study of {thing} in {place} {day}",
                "{body} [published|released] the results of {thing} in {place} {day}",
                "{thing} passed an important test in {place} {day}, {actor} of {body} announced",
                "a study led by {actor} in {place} showed {day} what {thing} can do",
            ),
            reference=("{actor} tested {thing} in {place}", "{thing} of {body} passed a test"),
            ood=(
                "{actor} of {body} lifted the veil on {thing} in {place} {day}",
                "data on {thing} surfaced in {place} {day}, supplied by {actor}",
            ),
            predicates=(PATIENTS, EFFECT, SIDE_EFFECTS, COST, YEARS, TRIAL_STEP),
        ),
        Event(
            "mission",
            weight=1.3,
            polarity=1,
            nouns=("mission", "launch"),
            things=(
                "moon probe",
                "space telescope",
                "weather satellite",
                "comet lander",
                "mars rover",
            ),
            main=(
                "{body} [launched|sent up] {thing} from {place} {day}",
                "{thing} built by {actor} of {body} [lifted off|took off] from {place} {day}",
                "a rocket carried {thing} of {body} into space from {place} {day}",
                "{actor} watched in {place} {day} as {thing} of {body} took off",
            ),
            reference=(
                "{thing} of {body} has been launched",
                "{body} sent {thing} into space from {place}",
            ),
            ood=(
                "{thing} of {body} soared from {place} {day}",
                "{body} hurled {thing} skyward from {place} {day}",
            ),
            predicates=(DISTANCE, INSTRUMENTS, DELAY, GOAL, COST, YEARS, MISSION_STEP),
        ),
    ),
)
