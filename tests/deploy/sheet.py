"""What a test says: one line a check, and the count that tests/run.sh reads."""
import contextlib


class Skip(Exception):
    pass


class Sheet:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    @contextlib.contextmanager
    def case(self, name):
        """A check; what is raised within is its failure, and does not end the others."""
        try:
            yield
        except Skip as reason:
            self.skipped += 1
            print(f'SKIPPED: {name}: {reason}', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            text = str(error) or type(error).__name__
            print(f'FAIL   {name}\n       ' + text.replace('\n', '\n       '), flush=True)
        else:
            self.passed += 1
            print(f'ok     {name}', flush=True)

    def end(self):
        """The exit code."""
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped')
        return 1 if self.failed or not self.passed else 0


def check(condition, message):
    if not condition:
        raise AssertionError(message)
