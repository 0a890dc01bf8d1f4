"""An IMAP server of a thousand quiet mailboxes: everybody may sign in, every INBOX is empty, nothing happens.

It costs next to nothing, so that what idling costs the product can be told from what it costs a server. It
runs as a process of its own: `python -m bench.quiet_server PORT [CERTIFICATE KEY]`.
"""

import asyncio
import ssl
import sys

CAPABILITIES = b"IMAP4rev1 SASL-IR ENABLE IDLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-STATUS SPECIAL-USE ESEARCH"
STATUS = b"(MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1 UNSEEN 0 HIGHESTMODSEQ 1)"
ANSWERS = {
    b"CAPABILITY": b"* CAPABILITY " + CAPABILITIES + b"\r\n",
    b"ENABLE": b"* ENABLED QRESYNC\r\n",
    b"LIST": b'* LIST () "/" INBOX\r\n* STATUS INBOX ' + STATUS + b"\r\n",
    b"EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT 1] n\r\n* OK [HIGHESTMODSEQ 1] h\r\n",
    b"LOGOUT": b"* BYE until later\r\n",
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK [CAPABILITY " + CAPABILITIES + b"] quiet\r\n")
    idling = b""
    try:
        while line := await reader.readline():
            words = line.split()
            if words == [b"DONE"]:
                writer.write(idling + b" OK done\r\n")
            elif len(words) > 1:
                tag, verb = words[0], words[1].upper()
                if verb == b"IDLE":
                    idling = tag
                    writer.write(b"+ idling\r\n")
                else:
                    writer.write(ANSWERS.get(verb, b"") + tag + b" OK done\r\n")
                if verb == b"LOGOUT":
                    break
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main(port: int, certificate: str = "", key: str = "") -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context, backlog=1000)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
