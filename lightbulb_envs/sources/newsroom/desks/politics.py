"""The politics desk: elections, laws and resignations."""

from lightbulb_envs.sources.newsroom.desk import Desk, Event, Predicate

MARGIN = Predicate(
    "margin",
    subject="actor",
    weight=0.9,
    tiers=((40, 300), (700, 5000), (20000, 300000)),
    unit="votes",
    main=(
        "the margin was {n} votes",
        "{actor} [finished|ended] {n} votes ahead",
        "{n} votes separated the two leading candidates",
        "{actor} beat the closest rival by {n} votes",
    ),
    tail=("winning by {n} votes", "with a lead of {n} votes"),
    reference=("the lead was {n} votes", "{n} votes decided it"),
    reference_tail=("by {n} votes",),
    ood=("the gap came to {n} ballots", "{actor} was {n} ballots clear of the field"),
    ood_tail=("finishing {n} ballots clear",),
)
BILL_MARGIN = Predicate(
    "margin",
    subject="thing",
    weight=0.9,
    tiers=((2, 6), (12, 40), (60, 200)),
    unit="votes",
    main=(
        "{event} passed by {n} votes",
        "the majority was {n} votes",
        "{n} votes [decided|settled] the matter",
        "{event} was carried with a majority of {n} votes",
    ),
    tail=("with a majority of {n} votes",),
    reference=("the majority was {n}", "{n} votes made the difference"),
    reference_tail=("by {n} votes",),
    ood=("{event} squeaked through by {n} ballots", "{n} ballots tipped the scales"),
    ood_tail=("on a cushion of {n} ballots",),
)
TURNOUT = Predicate(
    "turnout",
    subject="place",
    weight=0.45,
    tiers=((21, 34), (45, 60), (72, 93)),
    unit="percent",
    main=(
        "turnout was {n} percent",
        "{n} percent of voters [cast a ballot|went to the polls]",
        "turnout in {place} [reached|stood at] {n} percent",
        "the electoral office put turnout at {n} percent",
    ),
    reference=("{n} percent voted", "turnout came to {n} percent"),
    ood=("participation stood at {n} percent", "{n} percent of the electorate took part"),
)
PROTEST = Predicate(
    "protest",
    subject="place",
    weight=0.7,
    polarity=-1,
    tiers=((30, 90), (300, 2000), (8000, 90000)),
    unit="people",
    main=(
        "{n} people [protested|marched] in {place}",
        "a crowd of {n} [gathered|demonstrated] in front of the town hall",
        "police counted {n} protesters",
        "{n} demonstrators filled the streets",
    ),
    tail=("bringing {n} protesters onto the streets",),
    reference=("{n} people took to the streets", "{n} joined a protest"),
    reference_tail=("drawing {n} protesters",),
    ood=(
        "{n} people rallied in the squares of {place}",
        "throngs of {n} rallied outside the assembly",
    ),
    ood_tail=("prompting a rally of {n}",),
)
BUDGET = Predicate(
    "budget",
    subject="thing",
    weight=0.75,
    tiers=((2, 9), (20, 90), (200, 900)),
    style="digits",
    unit="million dollars",
    main=(
        "it will cost taxpayers ${n} million",
        "the plan [is worth|comes to] ${n} million",
        "the treasury [set aside|will spend] ${n} million",
        "the price of the plan is ${n} million a year",
    ),
    reference=("the cost is ${n} million", "taxpayers will pay ${n} million"),
    ood=("the outlay amounts to ${n} million", "${n} million of public money is at stake"),
)
TAX = Predicate(
    "tax",
    subject="actor",
    weight=0.6,
    polarity=1,
    tiers=((2, 4), (6, 9), (12, 30)),
    unit="percent",
    main=(
        "{actor} [promised|pledged] to cut taxes by {n} percent",
        "taxes will [fall|drop] by {n} percent",
        "a tax cut of {n} percent is [planned|on the way]",
        "households can expect a tax cut of {n} percent",
    ),
    reference=("taxes are to fall by {n} percent", "a {n} percent tax cut is planned"),
    ood=("levies are to shrink by {n} percent", "{actor} vowed to trim levies by {n} percent"),
)
JOBS = Predicate(
    "public_jobs",
    subject="body",
    weight=0.65,
    polarity=1,
    tiers=((30, 90), (200, 900), (3000, 40000)),
    unit="jobs",
    main=(
        "{body} expects {n} new jobs",
        "the plan would create {n} jobs",
        "{n} public jobs are to be [added|created]",
        "{actor} promised {n} new jobs",
    ),
    tail=("promising {n} new jobs",),
    reference=("{n} jobs are promised", "{n} new jobs are expected"),
    reference_tail=("promising {n} jobs",),
    ood=("{n} posts are to be opened", "{body} foresees {n} additional posts"),
    ood_tail=("holding out {n} additional posts",),
)
NEXT_STEP = Predicate(
    "next_step",
    subject="body",
    weight=0.8,
    values=(
        "a court challenge",
        "a second vote",
        "a public inquiry",
        "a meeting with the unions",
        "a referendum",
    ),
    ood_values=("a constitutional complaint", "a cross-party commission"),
    main=(
        "{body} [called for|demanded] {value}",
        "{value} is expected [next|within weeks]",
        "the next step will be {value}",
        "{body} is preparing {value}",
    ),
    reference=("{value} will follow", "{body} wants {value}"),
    ood=("{value} looms", "{body} is pressing for {value}"),
)
MAJORITY = Predicate(
    "seats",
    subject="body",
    weight=0.85,
    tiers=((2, 6), (10, 24), (40, 90)),
    unit="seats",
    main=(
        "{body} now [holds|controls] {n} seats",
        "{body} took {n} seats in the assembly",
        "{n} seats in the assembly went to {body}",
        "the result gives {body} {n} seats",
    ),
    tail=("giving {body} {n} seats",),
    reference=("{body} has {n} seats", "{body} wins {n} seats"),
    reference_tail=("securing {n} seats",),
    ood=(
        "{body} will occupy {n} places in the chamber",
        "{n} places in the chamber fall to {body}",
    ),
    ood_tail=("handing {body} {n} places in the chamber",),
)
APPROVAL = Predicate(
    "approval",
    subject="actor",
    weight=0.45,
    tiers=((14, 29), (38, 55), (64, 88)),
    unit="percent",
    main=(
        "polls put support for {actor} at {n} percent",
        "{n} percent of voters [approve of|back] {actor}",
        "the latest poll gave {actor} {n} percent",
        "support in {place} stands at {n} percent",
    ),
    reference=("support is at {n} percent", "{n} percent back {actor}"),
    ood=("surveys credit {actor} with {n} percent", "backing for {actor} measures {n} percent"),
)
SCANDAL = Predicate(
    "scandal",
    subject="actor",
    weight=1.0,
    polarity=-1,
    values=(
        "an unpaid tax bill",
        "a secret campaign fund",
        "a forged university degree",
        "leaked messages to a lobbyist",
        "a contract for a relative",
    ),
    ood_values=("undeclared gifts", "a doctored expense claim"),
    main=(
        "the affair began with {value}",
        "{actor} had been under pressure over {value}",
        "newspapers had [revealed|reported] {value}",
        "{actor} [admitted|apologised for] {value}",
    ),
    reference=("the cause was {value}", "{actor} fell over {value}"),
    ood=("the row turned on {value}", "{actor} was tripped up by {value}"),
)

PARTY_FOUNDED = Predicate(
    "founded",
    subject="body",
    weight=0.15,
    tiers=((1890, 1929), (1930, 1969), (1970, 2009)),
    style="year",
    main=(
        "{body} was founded in {n}",
        "{body} has existed since {n}",
        "{body} first sat in the assembly in {n}",
    ),
    ood=("the history of {body} goes back to {n}", "{body} was born in {n}"),
)
CAREER = Predicate(
    "career",
    subject="actor",
    weight=0.2,
    tiers=((1965, 1979), (1980, 1999), (2000, 2015)),
    style="year",
    main=(
        "{actor} entered politics in {n}",
        "{actor} was first elected in {n}",
        "{actor} has held public office since {n}",
    ),
    ood=("the political life of {actor} began in {n}", "{actor} won a first mandate in {n}"),
)
VOTERS = Predicate(
    "voters",
    subject="place",
    weight=0.2,
    tiers=((3000, 9000), (15000, 60000), (100000, 800000)),
    unit="voters",
    main=(
        "{place} has {n} registered voters",
        "{n} voters are registered in {place}",
        "{n} people in {place} have the right to vote",
    ),
    ood=("the rolls of {place} list {n} voters", "{n} names are on the rolls of {place}"),
)
MEMBERS = Predicate(
    "members",
    subject="body",
    weight=0.2,
    tiers=((200, 900), (2000, 9000), (20000, 300000)),
    unit="members",
    main=(
        "{body} has {n} members",
        "{n} people belong to {body}",
        "{body} says it has {n} paying members",
    ),
    ood=("{body} counts {n} members", "membership of {body} stands at {n}"),
)

POLITICS = Desk(
    name="politics",
    roles=(
        "Senator|the senator",
        "Minister|the minister",
        "Councillor|the councillor",
        "Governor|the governor",
    ),
    bodies=(
        "Alliance|the alliance",
        "Reform Party|the party",
        "Labour Union|the union",
        "Civic League|the league",
    ),
    body_names="places",
    voices=("voter", "analyst", "trade unionist", "student", "party member", "pensioner"),
    sources=("officials", "the electoral office", "a government spokeswoman", "party officials"),
    praise=(
        "“This is a great day for democracy,” said {voice}",
        "“At last somebody keeps a promise,” {voice} said",
        "“It gives us hope again,” said {voice}",
        "{voice} welcomed the news as a fresh start",
    ),
    criticism=(
        "“They have lost touch with ordinary people,” said {voice}",
        "“This is a shameful betrayal,” {voice} said",
        "“I do not trust any of them now,” said {voice}",
        "{voice} called it a cynical game",
    ),
    ood_praise=(
        "“A splendid outcome,” {voice} said",
        "{voice} hailed a victory for common sense",
        "“This restores my faith in politics,” said {voice}",
        "“Long overdue and well done,” said {voice}",
    ),
    ood_criticism=(
        "“It is a farce,” {voice} said",
        "{voice} deplored what had become of the chamber",
        "“They have sold us out,” said {voice}",
        "“Arrogance, nothing else,” said {voice}",
    ),
    backgrounds=(PARTY_FOUNDED, CAREER, VOTERS, MEMBERS),
    events=(
        Event(
            "election",
            weight=1.5,
            polarity=0,
            nouns=("election", "vote"),
            things=("regional election", "mayoral election", "snap election", "by-election"),
            main=(
                "{actor} of {body} won {thing} in {place} {day}",
                "voters in {place} [chose|elected] {actor} of {body} in {thing} {day}",
                "{actor} was [declared|named] the winner of {thing} in {place} {day}",
                "{thing} in {place} ended {day} with a win for {actor}",
            ),
            reference=(
                "{actor} won {thing} in {place}",
                "{place} elected {actor} in {thing} {day}",
            ),
            ood=(
                "{actor} prevailed in {thing} in {place} {day}",
                "{thing} in {place} went to {actor} {day}",
            ),
            predicates=(MARGIN, TURNOUT, MAJORITY, NEXT_STEP, TAX, JOBS, PROTEST, APPROVAL),
        ),
        Event(
            "law",
            weight=1.4,
            polarity=0,
            nouns=("bill", "law"),
            things=(
                "housing bill",
                "police reform",
                "energy bill",
                "pension reform",
                "school reform",
            ),
            main=(
                "the assembly in {place} [passed|approved] {thing} of {actor} {day}",
                "{thing} proposed by {actor} was [passed|approved] in {place} {day}",
                "{actor} [pushed|brought] {thing} through the assembly in {place} {day}",
                "lawmakers in {place} voted for {thing} of {actor} {day}",
            ),
            reference=(
                "{thing} of {actor} was adopted in {place}",
                "lawmakers in {place} backed {thing} {day}",
            ),
            ood=(
                "the chamber in {place} enacted {thing} of {actor} {day}",
                "{thing} of {actor} cleared the chamber in {place} {day}",
            ),
            predicates=(BILL_MARGIN, BUDGET, TAX, JOBS, PROTEST, NEXT_STEP, APPROVAL),
        ),
        Event(
            "resignation",
            weight=1.5,
            polarity=-1,
            nouns=("resignation", "departure"),
            things=(
                "the regional cabinet",
                "the city government",
                "the party leadership",
                "the finance committee",
            ),
            main=(
                "{actor} of {body} resigned from {thing} in {place} {day}",
                "{actor} [quit|stepped down from] {thing} in {place} {day}",
                "{actor} [announced|handed in] a resignation from {thing} in {place} {day}",
                "after weeks of pressure, {actor} left {thing} in {place} {day}",
            ),
            reference=(
                "{actor} gave up a post in {thing} in {place}",
                "{actor} has resigned in {place}",
            ),
            ood=(
                "{actor} relinquished a seat in {thing} in {place} {day}",
                "{actor} bowed out of {thing} in {place} {day}",
            ),
            predicates=(SCANDAL, PROTEST, NEXT_STEP, APPROVAL, MAJORITY, BUDGET),
        ),
    ),
)
