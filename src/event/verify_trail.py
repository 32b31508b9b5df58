import hashlib, json, re, sys

def verify(texts, head):
    last = "0" * 64
    for number, text in enumerate(texts, start=1):
        try:
            previous = json.loads(text)["previous"]
        except (ValueError, KeyError, TypeError, RecursionError):
            sys.exit(f"line {number} is not the text of an event")
        if previous != last:
            sys.exit(f"event {number} does not follow the one before")
        last = hashlib.sha256(b"client-registry/event/1\0" + text).hexdigest()
    if last != head:
        sys.exit("the trail does not end at its head: events are missing or were edited")
    print(f"{len(texts)} events, whole and in order")

def cannot(why):
    print(why, file=sys.stderr)
    sys.exit(2)

if len(sys.argv) != 3:
    cannot("usage: python3 verify_trail.py TRAIL HEAD")
head = sys.argv[2].strip().lower()
if not re.fullmatch("[0-9a-f]{64}", head):
    cannot("the head is not 64 hexadecimal digits")
try:
    with open(sys.argv[1], "rb") as trail:
        lines = [line.rstrip(b"\r") for line in trail.read().rstrip(b"\r\n").split(b"\n")]
except OSError as error:
    cannot(f"the trail cannot be read: {error}")
if lines == [b""]:
    sys.exit("the trail is empty: it has no events")
verify(lines, head)
