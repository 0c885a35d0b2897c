"""Documents → Definitions: names, cross references, and what can't be said together."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from smsdeclare import codes, schedule
from smsdeclare.define_policy import RECEIVER, policy_of, quiet_hours, tightened, with_defaults
from smsdeclare.define_receivers import check_lists, receiver, receivers_list
from smsdeclare.definitions import (
    SOONEST,
    Definitions,
    InlineReceiver,
    Message,
    Policy,
    ProviderSettings,
    QuietHours,
    ReceiversList,
    SettleSettings,
    StateSettings,
    Times,
)
from smsdeclare.diagnostics import Diagnostic, by_place
from smsdeclare.errors import InputError
from smsdeclare.reporter import Reporter, did_you_mean
from smsdeclare.template import Template, compile_text
from smsdeclare.template_reader import TemplateProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

    from smsdeclare.document import Document, Route
    from smsdeclare.project import Project

#: Each kind of place for the state that there is, with the keys that are its own.
_BACKENDS = {"file": ("path",), "postgresql": ("schema",), "git": ("remote", "branch")}
#: Those that commit each send for itself, and so can't encrypt the whole each time.
_NOT_SEALED = ("file", "postgresql")
#: What word processors make of quotes, and YAML takes for letters.
_NO_QUOTES = tuple("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b")


def define(
    project: Project, overrides: Mapping[str, str] | None = None, outside: Document | None = None
) -> Definitions:
    """Turn the documents of a project into definitions.

    `overrides` holds variables given from outside (`--var`, SMSDECLARE_VAR_…), `outside` a policy that tightens the
    project's own (SMSDECLARE_POLICY). Raises InputError with every problem at once.
    """
    return _Definer(project, outside).define(overrides or {})


#: Options, and where they stand.
_Options = tuple["Mapping[str, Any]", "Document", "Route"]


class _Definer:
    """Walks the documents once and collects what it finds wrong."""

    def __init__(self, project: Project, outside: Document | None) -> None:
        self.project = project
        self.outside = outside
        self.documents = (project.root, *project.parts) if project.root else project.parts
        self.reporter = Reporter(project)
        self.zone = self._zone()

    def define(self, overrides: Mapping[str, str]) -> Definitions:
        project = self.project
        self._refuse_what_nothing_acts_on()
        variables = self._variables(overrides)
        receivers = {
            name: receivers_list(self.reporter, project.folder, document, name)
            for document, name in self.reporter.named(self.documents, "receivers")
        }
        options = {
            name: (self._options(document, ("options", name)), document, ("options", name))
            for document, name in self.reporter.named(self.documents, "options")
        }
        messages = [
            message
            for document, name in sorted(self.reporter.named(self.documents, "messages"), key=lambda found: found[1])
            if (message := self._message(document, name, options, receivers)) is not None
        ]
        policy = self._policy(receivers)
        settle, hold = self._settle(), self._hold()
        check_lists(self.reporter, self.documents, receivers)
        if any(finding.is_error for finding in self.reporter.found):
            raise InputError(*by_place(self.reporter.found))
        root = self.project.root
        if root is None:  # then something was found, and raised above
            raise InputError(*by_place(self.reporter.found))
        data = root.data
        provider = data["provider"]
        state = data.get("state", {})
        return Definitions(
            project=data["project"],
            folder=self.project.folder,
            root_file=root.file,
            timezone=data.get("timezone", "UTC"),
            provider=ProviderSettings(
                name=provider["name"],
                endpoint=provider.get("endpoint"),
                service=provider.get("service"),
                receivers_per_job=provider.get("receiversPerJob", 500),
                requests_per_minute=provider.get("requestsPerMinute"),
                billing_country=provider.get("billingCountry"),
                advertising_hold=hold,
                never_holds=provider.get("advertisingHold") == "none",
            ),
            state=StateSettings(
                backend=state.get("backend", "file"),
                path=state.get("path"),
                schema=state.get("schema"),
                remote=state.get("remote", "origin"),
                branch=state.get("branch", "smsdeclare-state"),
                allow_local_in_ci=state.get("allowLocalInCI", False),
                hashes_numbers=state.get("numbers") == "hashed",
                is_encrypted=state.get("encryption") != "none",
            ),
            settle=settle,
            policy=policy,
            variables=MappingProxyType(variables),
            receivers=MappingProxyType(receivers),
            messages=tuple(messages),
            names=frozenset(name for document in self.documents for name in document.data.get("messages") or {}),
            warnings=tuple(by_place(self.reporter.found)),
        )

    def _refuse_what_nothing_acts_on(self) -> None:
        root = self.project.root
        state = root.data.get("state", {}) if root else {}
        backend = state.get("backend", "file")
        if root and backend not in _BACKENDS:
            self.reporter.report(codes.NOT_YET, f"backend {backend}", root, ("state", "backend"))
        if root and "encryption" in state and backend in _NOT_SEALED:
            detail = f"backend {backend} has no `encryption`"
            self.reporter.report(codes.NOT_SEALED_HERE, detail, root, ("state", "encryption"), key=True)
        for key in (key for keys in _BACKENDS.values() for key in keys):
            if root and key in state and key not in _BACKENDS.get(backend, (key,)):
                self.reporter.report(
                    codes.NOT_TOGETHER, f"backend {backend} has no `{key}`", root, ("state", key), key=True
                )

    def _variables(self, overrides: Mapping[str, str]) -> dict[str, str]:
        root = self.project.root
        if root is None:
            return {}
        declared = root.data.get("variables") or {}
        values = {
            name: root.written(("variables", name, "default")).strip()
            for name, variable in declared.items()
            if variable and variable.get("default") is not None
        }
        for name, value in overrides.items():
            if name in declared:
                values[name] = value.strip()
            else:
                self.reporter.found.append(
                    Diagnostic(
                        code=codes.UNKNOWN_VARIABLE,
                        detail=f"`{name}`",
                        suggestion=did_you_mean(name, declared),
                    )
                )
        return {name: value for name, value in values.items() if value}

    def _settle(self) -> SettleSettings:
        root = self.project.root
        written = (root.data.get("settle") if root else None) or {}
        if root is None or "after" not in written:
            return SettleSettings(absence=written.get("absence"))
        settings = SettleSettings(
            after=_duration(written["after"]), absence=written.get("absence"), span=root.span(("settle", "after"))
        )
        # Other places come from the environment, and are looked at when they are known.
        if root.data["provider"].get("endpoint", "").startswith("ovh-") and settings.after < SOONEST:
            self.reporter.report(codes.SETTLE_TOO_SOON, "", root, ("settle", "after"))
        return settings

    def _hold(self) -> QuietHours | None:
        root = self.project.root
        written = root.data["provider"].get("advertisingHold") if root else None
        if root is None or not isinstance(written, dict):
            return None
        route: Route = ("provider", "advertisingHold")
        if written.get("timezone") == RECEIVER:
            self.reporter.report(codes.WRONG_VALUE, "OVHcloud has one clock", root, (*route, "timezone"))
        return quiet_hours(self.reporter, root, route, written, "Europe/Paris")

    def _policy(self, receivers: Mapping[str, ReceiversList]) -> Policy:
        """The project's own rules, and those from outside, which can only tighten them."""
        root = self.project.root
        if root is None:
            return Policy()
        zone = root.data.get("timezone", "UTC")
        inside = policy_of(self.reporter, root, ("policy",), receivers, zone)
        if self.outside is None:
            return with_defaults(inside)
        route: Route = ("policy",) if "policy" in (self.outside.data or {}) else ()
        return tightened(
            self.reporter, with_defaults(inside), policy_of(self.reporter, self.outside, route, receivers, zone)
        )

    def _options(self, document: Document, route: Route) -> Mapping[str, Any]:
        data: Any = document.data
        for step in route:
            data = data[step]
        if "sender" in data and data.get("senderForResponse") is True:
            self.reporter.report(codes.BOTH_SENDERS, "", document, (*route, "sender"))
        if "differedPeriod" in data:
            self.reporter.report(codes.DIFFERED_PERIOD, "", document, (*route, "differedPeriod"), key=True)
        return MappingProxyType(dict(sorted(data.items())))

    def _message(
        self,
        document: Document,
        name: str,
        options: Mapping[str, _Options],
        receivers: Mapping[str, ReceiversList],
    ) -> Message | None:
        route: Route = ("messages", name)
        data = document.data["messages"][name]
        template = self._template(document, (*route, "text"), data["text"])
        to = self._targets(document, route, receivers)
        for place, target in enumerate(data.get("except", ())):
            if target not in receivers:
                self.reporter.unknown(document, (*route, "except", place), target, receivers, "receivers")
        given = data.get("options", {})
        if isinstance(given, str):
            if given not in options:
                self.reporter.unknown(document, (*route, "options"), given, options, "options")
            chosen, where, found_at = options.get(given, ({}, document, route))
        else:
            where, found_at = document, (*route, "options")
            chosen = self._options(where, found_at) if given else {}
        if template is None or data.get("enabled") is False:
            return None
        return Message(
            name=name,
            span=document.key_span(route),
            text=data["text"],
            text_span=document.span((*route, "text")),
            template=template,
            to=to,
            to_span=document.span((*route, "to")),
            excluded=tuple(data.get("except", ())),
            options=chosen,
            option_spans={option: where.span((*found_at, option)) for option in chosen},
            revision=data.get("revision", 1),
            renamed_from=data.get("renamedFrom"),
            times=self._times(document, route, chosen),
            max_credits=data.get("maxCredits"),
            normalizes=data.get("normalize") == "gsm7",
        )

    def _times(self, document: Document, route: Route, options: Mapping[str, Any]) -> Times:
        data = document.data["messages"][route[1]]
        written = {name: data[name] for name in ("sendAt", "expiresAt") if name in data}
        if "sendAt" in written and "differedPeriod" in options:
            self.reporter.report(
                codes.NOT_TOGETHER, "`sendAt` and `differedPeriod`", document, (*route, "sendAt"), key=True
            )
        never = written.get("expiresAt") == "never"
        send_at = self._moment(document, (*route, "sendAt"), written.get("sendAt"))
        expires_at = None if never else self._moment(document, (*route, "expiresAt"), written.get("expiresAt"))
        if send_at and expires_at is None and not never:
            expires_at = send_at + schedule.LATE
        if send_at and expires_at and expires_at <= send_at:
            self.reporter.report(codes.WRONG_VALUE, "it is not after `sendAt`", document, (*route, "expiresAt"))
        return Times(send_at=send_at, expires_at=expires_at, never_expires=never, written=written)

    def _moment(self, document: Document, route: Route, written: str | None) -> datetime | None:
        if written is None or self.zone is None:
            return None
        try:
            found, is_twice = schedule.moment(written, self.zone)
        except schedule.NoSuchTime as problem:
            self.reporter.report(codes.NO_SUCH_TIME, str(problem), document, route)
            return None
        except schedule.OutOfReach:
            hint = "Write `expiresAt: never` for what has no end, and no `sendAt` for what goes out at once."
            self.reporter.report(codes.WRONG_VALUE, "the year is out of reach", document, route, suggestion=hint)
            return None
        except ValueError:
            self.reporter.report(codes.WRONG_VALUE, "there is no such day or time", document, route)
            return None
        if is_twice:
            self.reporter.report(codes.TIME_TWICE, "the earlier one is meant", document, route)
        return found

    def _zone(self) -> tzinfo | None:
        """The project's time zone; None, and a report, where its name is none."""
        root = self.project.root
        name = root.data.get("timezone", "UTC") if root else "UTC"
        found = schedule.zone_named(name)
        if found is None and root:
            from zoneinfo import available_timezones  # noqa: PLC0415 - only where a name is none

            zones = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones())}
            near = zones.get(name.rpartition("/")[2].casefold(), "Europe/Paris")
            hint = f"As the IANA database has it, such as `{near}`."
            self.reporter.report(codes.WRONG_VALUE, f"`{name}` is no time zone", root, ("timezone",), suggestion=hint)
        return found

    def _targets(
        self, document: Document, route: Route, receivers: Mapping[str, ReceiversList]
    ) -> tuple[str | InlineReceiver, ...]:
        """Each name of a receivers list as it stands, each number as a receiver."""
        written = document.data["messages"][route[1]]["to"]
        places = (
            [(*route, "to", place) for place in range(len(written))] if isinstance(written, list) else [(*route, "to")]
        )
        targets: list[str | InlineReceiver] = []
        for place, target in zip(places, written if isinstance(written, list) else [written], strict=True):
            if target in receivers:
                targets.append(target)
            elif not target[:1].isalpha():
                found = receiver(self.reporter, document, place, target, None, {})
                targets += [found] if found else []
            else:
                self.reporter.unknown(document, place, target, receivers, "receivers")
        return tuple(targets)

    def _template(self, document: Document, route: Route, text: str) -> Template | None:
        span = document.span(route)
        if document.lines[span.line - 1][span.column - 1 : span.column] in _NO_QUOTES and text[-1:] in _NO_QUOTES:
            self.reporter.report(codes.QUOTES_SHOWN, "", document, route)
        try:
            return compile_text(text)
        except TemplateProblem as problem:
            self.reporter.report(problem.code, problem.detail, document, route)
            return None


def _duration(written: str) -> timedelta:
    """`30m` as it stands in the schema: a figure of at most six digits, and s, m, h or d."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[written[-1]]: int(written[:-1])})
