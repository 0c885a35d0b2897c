"""What a small world is like, as a value: what the files say, what the provider is like, and what may happen."""

from dataclasses import dataclass

NUMBERS = tuple(f"+3363998000{digit}" for digit in range(8))


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the files say of one message."""

    name: str = "m"
    revision: int = 1
    to: tuple = (0,)
    text: str = "Hello"
    #: In ticks; None: at once.
    later: int | None = None
    renamed_from: str | None = None

    @property
    def yaml(self):
        options = f"\n    options: {{differedPeriod: {self.later * 5}}}" if self.later else ""
        renamed = f"\n    renamedFrom: {self.renamed_from}" if self.renamed_from else ""
        to = ", ".join(f'"{NUMBERS[place]}"' for place in self.to)
        return (
            f"  {self.name}:\n    text: {self.text}\n    revision: {self.revision}\n    to: [{to}]{renamed}{options}\n"
        )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a world is like, and what may happen in it. Times in ticks."""

    #: For each edition of the files: for each runner the messages it finds there, and how many receivers make a job.
    files: tuple = (((Message(),),),)
    per_job: tuple = (500,)
    runners: int = 2
    #: How old a signature may be when the request arrives.
    window: int = 1
    #: How long after an SMS was made the lists may lack it; None: for any time.
    lag: int | None = 1
    #: How long what leaves `jobs` may be in neither list; for less than `moving`, but where only what is held moves.
    gap: int = 0
    #: `settle.after`; None: `settle.absence: ask`.
    after: int | None = 3
    #: Between the two looks.
    moving: int = 0
    #: So many jobs may be claimed.
    jobs: int = 2
    #: So long a phase of a run may last in all; a dead run may lie for any time.
    longest: int = 6
    crashes: bool = True
    #: Requests may be refused, with JSON and a query id.
    refusals: bool = False
    #: Requests may be refused for their pace.
    hurries: bool = False
    #: It may be that no byte leaves.
    unreached: bool = False
    #: The provider may refuse single receivers, or leave them out of its report.
    partial: bool = False
    #: What is sent at once may stand in `jobs` first, for any time.
    through_jobs: bool = False
    #: A job that surely was taken is there to compare with.
    control: bool = True
    #: `outgoing` lists nothing at all.
    blind: bool = False
    #: The provider writes 0033… for +33….
    zeros: bool = False
    #: Somebody's SMS with the same text to the first number waits in `jobs`.
    stranger: bool = False
    #: A week may pass; with it the provider forgets.
    weeks: int = 0
    forgets: bool = False
    #: People who know the truth say what became of sends: once absence would count, or at any time.
    people: str = ""
    stops: int = 0
    resends: int = 0
    restores: int = 0
    #: A restored state may be used while the lists still lag.
    early_restores: bool = False
    #: Every run carries out the plan that was approved at the beginning.
    approved: bool = False
    #: So many SMS for one send are none too many: to measure what a wrong bound does.
    copies: int = 1
    #: Whether what can't matter goes on at once.
    quiet: bool = True

    @property
    def messages(self):
        """All messages of all editions."""
        return [one for edition in self.files for files in edition for one in files]
