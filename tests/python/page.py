"""Checks a folder that `msm_os page` has made: that its page asks for nothing but what lies beside it, runs nothing, and shows texts as texts.

usage: page.py FOLDER TEXT...

Each TEXT has to be one that readers see.
"""

import json
import os
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

folder, *texts = sys.argv[1:]
EMPTY = {"meta", "link", "img"}
KNOWN = EMPTY | set(
    "html head title style body header nav main section h1 h2 h3 p a div table thead tbody tr th td dl dt dd figure figcaption details"
    " summary pre code strong bdi".split()
)


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.images, self.seen = [], set(), [], [], []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert tag in KNOWN, tag
        assert len(names) == len(set(names)), attributes
        assert not any(name.startswith("on") or name == "style" for name in names), attributes
        found = dict(attributes)
        if "id" in found:
            assert found["id"] not in self.ids, found
            self.ids.add(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag == "img":
            assert found["alt"].strip(), found
            self.images.append(found["src"])
        assert tag in ("img", "a", "link") or not {"src", "href"} & set(names), attributes
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.seen.append(data)

    def handle_comment(self, data):
        assert data == " msm_os page ", data


page = Page()
with open(os.path.join(folder, "index.html"), encoding="utf-8") as file:
    text = file.read()
assert not [letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf") and letter != "\n"]
page.feed(text)
page.close()
assert not page.open, page.open
style = text[text.index("<style>") : text.index("</style>")]
assert "url(" not in style and "@import" not in style
for link in page.links:
    if link.startswith("#"):
        assert link[1:] in page.ids, link
    else:
        with open(os.path.join(folder, link), encoding="utf-8") as file:
            json.load(file)
assert len(page.images) == len(set(page.images))
for image in page.images:
    assert os.path.dirname(image) == "maps", image
    for element in ElementTree.parse(os.path.join(folder, image)).iter():
        assert not element.tag.endswith(("script", "foreignObject")), image
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (image, name)
            assert not name.endswith("href") or value.startswith("data:image/png;base64,"), (image, value)
seen = "".join(page.seen)
for text in texts:
    assert text in seen, text
