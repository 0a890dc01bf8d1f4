"""A submission server that behaves as told; it keeps the messages that it accepts."""

from base64 import b64encode
from dataclasses import dataclass

from soinbox_web.rehearsal import sasl
from soinbox_web.rehearsal.behaviour import SmtpBehaviour
from soinbox_web.rehearsal.scripted import Cut, ScriptedServer, Wire

_USUAL = {
    "HELO": b"250 rehearsal",
    "MAIL": b"250 2.1.0 Ok",
    "RCPT": b"250 2.1.5 Ok",
    "DATA": b"354 End data with <CR><LF>.<CR><LF>",
    "DOT": b"250 2.0.0 Ok: queued as REHEARSAL",
    "RSET": b"250 2.0.0 Ok",
    "NOOP": b"250 2.0.0 Ok",
    "QUIT": b"221 2.0.0 Bye",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that was received whole: envelope and bytes (dot-unstuffed, CRLF kept)."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class ScriptedSmtp(ScriptedServer[SmtpBehaviour]):
    """See `SmtpBehaviour`; `messages` holds what was accepted, or received whole before a cut at DOT."""

    def __init__(self, behaviour: SmtpBehaviour, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(behaviour, host=host, port=port)
        self.messages: list[Accepted] = []

    def _default_greeting(self) -> bytes:
        return b"220 rehearsal ESMTP\r\n"

    def _converse(self, wire: Wire, behaviour: SmtpBehaviour) -> None:
        sender = ""
        recipients: list[str] = []
        while True:
            verb, _, rest = wire.line().decode("utf-8", "replace").partition(" ")
            verb = verb.upper()
            self.commands.append(verb)
            if verb == "STARTTLS":
                self._starttls(wire, behaviour)
            elif verb == "AUTH":
                self._sign_in(wire, behaviour, rest)
            elif verb == "DATA" and recipients:
                self._receive(wire, behaviour, sender, recipients)
                recipients = []
            else:
                answer = self._answer(wire, behaviour, verb, rest)
                if verb == "MAIL":
                    sender, recipients = _path(rest), []
                elif verb == "RCPT" and answer.startswith(b"2"):
                    recipients.append(_path(rest))
                elif verb == "QUIT":
                    raise Cut

    def _answer(self, wire: Wire, behaviour: SmtpBehaviour, verb: str, rest: str) -> bytes:
        self._moment(verb, behaviour)
        answer = behaviour.answers.get(verb) or _USUAL.get(verb, b"502 5.5.2 Error: command not recognized")
        if verb == "EHLO" and verb not in behaviour.answers:
            clear = behaviour.tls == "starttls" and not wire.encrypted
            words = ("rehearsal", *(behaviour.clear_extensions if clear else behaviour.extensions))
            lines = [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]
            answer = "\r\n".join(lines).encode()
        elif verb == "RCPT":
            answer = behaviour.recipients.get(_path(rest), answer)
        elif verb == "DATA":
            answer = behaviour.answers.get("DATA", b"503 5.5.1 Error: need RCPT command")
        wire.send(answer + b"\r\n")
        return answer

    def _starttls(self, wire: Wire, behaviour: SmtpBehaviour) -> None:
        self._moment("STARTTLS", behaviour)
        refused = behaviour.answers.get("STARTTLS") or (
            b"502 5.5.1 Error: no TLS here" if behaviour.tls != "starttls" else b""
        )
        if refused:
            wire.send(refused + b"\r\n")
            return
        wire.send(b"220 2.0.0 Ready to start TLS\r\n" + behaviour.injected)
        self._handshake(wire, behaviour)

    def _sign_in(self, wire: Wire, behaviour: SmtpBehaviour, rest: str) -> None:
        def ask(challenge: bytes) -> bytes:
            wire.send(b"334 " + challenge + b"\r\n")
            return wire.line()

        mechanism, _, initial = rest.partition(" ")
        mechanism = mechanism.upper()
        if mechanism == "LOGIN":
            username = sasl.decoded(initial.encode() or ask(b"VXNlcm5hbWU6"))
            secret = sasl.decoded(ask(b"UGFzc3dvcmQ6"))
        else:
            response = initial.encode() or ask(b"")
            username, secret = sasl.plain(response) if mechanism == "PLAIN" else sasl.bearer(response)
        self._tried(wire, username, secret, mechanism)
        self._moment("SIGN_IN", behaviour)
        script = behaviour.sign_in
        answer = script.answer
        if answer is None:
            right = behaviour.accepts(username, secret)
            answer = b"235 2.7.0 Authentication successful" if right else behaviour.refusal
        if mechanism in sasl.TOKEN_MECHANISMS and behaviour.challenge and not answer.startswith(b"235"):
            ask(b64encode(behaviour.challenge))
        wire.send(script.before + (answer + b"\r\n" if answer else b"") + script.after)
        if script.close:
            raise Cut

    def _receive(self, wire: Wire, behaviour: SmtpBehaviour, sender: str, recipients: list[str]) -> None:
        self._moment("DATA", behaviour)
        answer = behaviour.answers.get("DATA", _USUAL["DATA"])
        wire.send(answer + b"\r\n")
        if not answer.startswith(b"3"):
            return
        lines: list[bytes] = []
        while (line := wire.line()) != b".":
            lines.append(line.removeprefix(b".") + b"\r\n")
            if len(lines) == 3:
                self._moment("BODY", behaviour)
        message = Accepted(sender, tuple(recipients), b"".join(lines))
        answer = behaviour.answers.get("DOT", _USUAL["DOT"])
        if answer.startswith(b"2"):
            self.messages.append(message)
        self._moment("DOT", behaviour)
        wire.send(answer + b"\r\n")


def _path(text: str) -> str:
    """The address in `FROM:<…>` or `TO:<…>`."""
    return text.partition("<")[2].partition(">")[0]
