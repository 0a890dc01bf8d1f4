"""The caps under which a message is read (trust.md section 2); beyond them only its source is shown."""

HEADER_BLOCK = 256 * 1024  # bytes of one part's header block
HEADER_FIELDS = 1_000  # fields in it
HEADER_FIELD = 64 * 1024  # bytes of one field
DECODED_TEXT = 8 * 1024  # bytes of one text that are looked at for encoded words or parameters
DEPTH = 50  # multiparts and messages inside each other
PARTS = 1_000
GONE_THROUGH = 400_000_000  # bytes of all parts, those inside others counted for each that they are in
ADDRESSES = 1_000  # in one field
FILE_NAME = 150  # characters
TEXT = 1_000_000  # characters of the text
PLAIN = 4 * TEXT + 4_000  # bytes of one text that are decoded
ENCODED = 3 * PLAIN  # bytes of one text as it was sent that are looked at
PIECES = 50_000  # of base64 that were joined in one part
HTML = 1024 * 1024  # characters given to the sanitiser
HTML_DEPTH = 500  # elements inside each other
STYLE = 8 * 1024  # characters of one style attribute
STYLES = 256 * 1024  # characters of the different style attributes of one message; others are left out
PICTURES = 1_000  # in one message
REFERENCES = 1_000  # Message-IDs of one field
CALENDAR = 256 * 1024  # characters of an invitation


class OverCap(Exception):
    """A message goes beyond a cap; never leaves this room."""
