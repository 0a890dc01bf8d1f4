"""An IMAP server with one empty INBOX that behaves as told; enough for set-up and for appending."""

import re
from base64 import b64encode

from soinbox_web.rehearsal import sasl
from soinbox_web.rehearsal.behaviour import ImapBehaviour
from soinbox_web.rehearsal.scripted import Cut, ScriptedServer, Wire

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\([^)]*\))|([^\s"()]+)')
_UNTAGGED = {
    "ID": b'* ID ("name" "rehearsal")\r\n',
    "LIST": b'* LIST (\\HasNoChildren) "/" INBOX\r\n',
    "STATUS": b"* STATUS INBOX (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 1)\r\n",
    "SEARCH": b"* SEARCH\r\n",
    "SELECT": b"* FLAGS (\\Seen \\Deleted)\r\n* 0 EXISTS\r\n* 0 RECENT\r\n"
    b"* OK [UIDVALIDITY 1] valid\r\n* OK [UIDNEXT 1] next\r\n",
}


class ScriptedImap(ScriptedServer[ImapBehaviour]):
    """See `ImapBehaviour`; `appended` holds the messages of APPEND, `asked` commands with their arguments."""

    def __init__(self, behaviour: ImapBehaviour, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(behaviour, host=host, port=port)
        self.appended: list[bytes] = []
        self.asked: list[tuple[str, list[bytes]]] = []

    def _default_greeting(self) -> bytes:
        return b"* OK rehearsal ready\r\n"

    def _converse(self, wire: Wire, behaviour: ImapBehaviour) -> None:
        while True:
            tag, verb, arguments = self._command(wire)
            self.commands.append(verb)
            if verb == "STARTTLS":
                self._starttls(wire, behaviour, tag)
            elif verb in {"LOGIN", "AUTHENTICATE"}:
                self._sign_in(wire, behaviour, tag, verb, arguments)
            else:
                self._answer(wire, behaviour, tag, verb, arguments)

    def _command(self, wire: Wire) -> tuple[bytes, str, list[bytes]]:
        """Tag, verb (of `UID FETCH` the second word) and arguments, literals included."""
        tokens: list[bytes] = []
        line = wire.line()
        while literal := _LITERAL.search(line):
            tokens += _tokens(line[: literal.start()])
            if not literal[2]:
                wire.send(b"+ go on\r\n")
            tokens.append(wire.exactly(int(literal[1])))
            line = wire.line()
        tokens += _tokens(line)
        tag, verb, *arguments = [*tokens, b"", b""][: max(2, len(tokens))]
        if verb.upper() == b"UID" and arguments:
            verb, *arguments = arguments
        return tag, verb.decode("ascii", "replace").upper(), arguments

    def _starttls(self, wire: Wire, behaviour: ImapBehaviour, tag: bytes) -> None:
        self._moment("STARTTLS", behaviour)
        refused = behaviour.answers.get("STARTTLS") or (b"BAD no TLS" if behaviour.tls != "starttls" else b"")
        if refused:
            wire.send(tag + b" " + refused + b"\r\n")
            return
        wire.send(tag + b" OK begin TLS\r\n" + behaviour.injected)
        self._handshake(wire, behaviour)

    def _sign_in(
        self, wire: Wire, behaviour: ImapBehaviour, tag: bytes, verb: str, arguments: list[bytes]
    ) -> None:
        if verb == "LOGIN":
            username, secret = (part.decode("utf-8", "replace") for part in [*arguments, b"", b""][:2])
            mechanism = "LOGIN"
        else:
            mechanism = arguments[0].decode("ascii", "replace").upper() if arguments else ""
            username, secret = self._exchange(wire, mechanism, arguments[1:])
        self._tried(wire, username, secret, mechanism)
        self._moment("SIGN_IN", behaviour)
        script = behaviour.sign_in
        answer = script.answer
        if answer is None:
            right = behaviour.accepts(username, secret)
            answer = b"OK signed in" if right else behaviour.refusal
        if mechanism in sasl.TOKEN_MECHANISMS and behaviour.challenge and not answer.startswith(b"OK"):
            wire.send(b"+ " + b64encode(behaviour.challenge) + b"\r\n")
            wire.line()
        wire.send(script.before + (tag + b" " + answer + b"\r\n" if answer else b"") + script.after)
        if script.close:
            raise Cut

    def _exchange(self, wire: Wire, mechanism: str, initial: list[bytes]) -> tuple[str, str]:
        def ask(challenge: bytes) -> bytes:
            wire.send(b"+ " + challenge + b"\r\n")
            return wire.line()

        if mechanism == "LOGIN":
            username = sasl.decoded(initial[0] if initial else ask(b"VXNlcm5hbWU6"))
            return username, sasl.decoded(ask(b"UGFzc3dvcmQ6"))
        response = initial[0] if initial else ask(b"")
        return sasl.plain(response) if mechanism == "PLAIN" else sasl.bearer(response)

    def _answer(
        self, wire: Wire, behaviour: ImapBehaviour, tag: bytes, verb: str, arguments: list[bytes]
    ) -> None:
        self.asked.append((verb, arguments))
        self._moment(verb, behaviour)
        untagged, answer = self._usual(wire, behaviour, verb, arguments)
        if verb == "IDLE":
            wire.send(b"+ idling\r\n")
            while wire.line().upper() != b"DONE":
                pass
        answer = behaviour.answers.get(verb, answer)
        wire.send(behaviour.untagged.get(verb, untagged) + tag + b" " + answer + b"\r\n")
        if verb == "LOGOUT":
            raise Cut

    def _usual(
        self, wire: Wire, behaviour: ImapBehaviour, verb: str, arguments: list[bytes]
    ) -> tuple[bytes, bytes]:
        if verb == "CAPABILITY":
            clear = behaviour.tls == "starttls" and not wire.encrypted
            words = behaviour.clear_capabilities if clear else behaviour.capabilities
            return b"* CAPABILITY " + " ".join(words).encode() + b"\r\n", b"OK done"
        if verb == "LOGOUT":
            return b"* BYE until next time\r\n", b"OK done"
        if verb in {"SELECT", "EXAMINE"}:
            mode = b"WRITE" if verb == "SELECT" else b"ONLY"
            return _UNTAGGED["SELECT"], b"OK [READ-" + mode + b"] open"
        if verb == "APPEND":
            self.appended.append(arguments[-1] if arguments else b"")
            return b"", f"OK [APPENDUID 1 {len(self.appended)}] done".encode()
        return _UNTAGGED.get(verb, b""), b"OK done"


def _tokens(line: bytes) -> list[bytes]:
    return [
        match[3] or match[2] or re.sub(rb"\\(.)", rb"\1", match[1] or b"") for match in _TOKEN.finditer(line)
    ]
