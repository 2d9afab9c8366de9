"""What must hold whatever a package index delivers.

python3 -m unittest discover models
"""

import hashlib
import tempfile
import unittest
from pathlib import Path

from pinned import Trouble, Workshop, is_pinned, place, run

GOOD = b"the content we know"
SHA256 = hashlib.sha256(GOOD).hexdigest()


class PlacedFiles(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = Path(folder.name) / "download"
        self.target = Path(folder.name) / "cache" / "model"

    def test_known_content_gets_its_name(self):
        self.source.write_bytes(GOOD)
        place(self.source, self.target, SHA256, "a package")
        self.assertTrue(is_pinned(self.target, SHA256))
        self.assertEqual(list(self.target.parent.iterdir()), [self.target])

    def test_other_content_gets_none(self):
        self.source.write_bytes(GOOD[:-1])
        with self.assertRaisesRegex(Trouble, "expected " + SHA256):
            place(self.source, self.target, SHA256, "a package")
        self.assertFalse(self.target.exists())

    def test_other_content_leaves_an_older_file_alone(self):
        self.target.parent.mkdir()
        self.target.write_bytes(GOOD)
        self.source.write_bytes(b"")
        with self.assertRaises(Trouble):
            place(self.source, self.target, SHA256, "a package")
        self.assertTrue(is_pinned(self.target, SHA256))

    def test_known_content_replaces_a_damaged_file(self):
        self.target.parent.mkdir()
        self.target.write_bytes(b"cut short")
        self.source.write_bytes(GOOD)
        place(self.source, self.target, SHA256, "a package")
        self.assertTrue(is_pinned(self.target, SHA256))


class Clients(unittest.TestCase):
    def test_a_missing_program_is_named_with_its_package(self):
        with self.assertRaisesRegex(Trouble, "`no-such-client` is missing. apt-get install it"):
            run(["no-such-client"], "fetching", install="apt-get install it", advice="")

    def test_a_failure_says_what_the_client_said(self):
        with self.assertRaisesRegex(Trouble, r"`sh` failed \(no route\). Is the network up\?"):
            run(["sh", "-c", "echo no route >&2; exit 7"], "fetching", install="", advice="Is the network up?")

    def test_the_workshop_is_swept_after_a_failure(self):
        with tempfile.TemporaryDirectory() as cache:
            with self.assertRaises(Trouble), Workshop(Path(cache)) as workshop:
                (workshop.folder / "half a download").touch()
                raise Trouble("interrupted")
            self.assertEqual(list(Path(cache).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
