"""Made-up credentials of one unmistakable kind: GitHub classic tokens with a right checksum, the same in every run."""
import random
import re
import zlib

DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
LENGTH = 40
PATTERN = re.compile(rb'ghp_[0-9A-Za-z]{36}')


def checksum(body):
    """The last six digits of a token: CRC-32 of the thirty before them, in base 62."""
    number, digits = zlib.crc32(body.encode()), ''
    while number:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits.rjust(6, '0')


def token(purpose):
    """The token of a purpose; another purpose, another token."""
    body = ''.join(random.Random('scan-secrets ' + purpose).choices(DIGITS, k=30))
    return 'ghp_' + body + checksum(body)


class Purse:
    """Hands out tokens and remembers what each is for."""

    def __init__(self):
        self.purposes = {}

    def __call__(self, purpose):
        value = token(purpose)
        self.purposes[value] = purpose
        return value
