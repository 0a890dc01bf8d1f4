"""Autoconfig files (clientConfig 1.1) as an operator would write them for the demo's domains."""

from xml.sax.saxutils import escape

_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{domain}">
    <domain>{domain}</domain>
    <displayName>{domain}</displayName>
    <incomingServer type="imap">
      <hostname>{imap_host}</hostname>
      <port>{imap_port}</port>
      <socketType>{socket_type}</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>{smtp_host}</hostname>
      <port>{smtp_port}</port>
      <socketType>{socket_type}</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
    </outgoingServer>
  </emailProvider>
</clientConfig>
"""


def client_config(
    domain: str, imap_host: str, imap_port: int, smtp_host: str, smtp_port: int, socket_type: str
) -> str:
    """One domain's file; `socket_type` is SSL, STARTTLS or plain; hosts may hold %EMAILLOCALPART%."""
    return _FILE.format(
        domain=escape(domain),
        imap_host=escape(imap_host),
        imap_port=imap_port,
        smtp_host=escape(smtp_host),
        smtp_port=smtp_port,
        socket_type=escape(socket_type),
    )
