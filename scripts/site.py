"""A hook of MkDocs: pages that lie beside the code, and not in docs/, are pages of the site too, and links between all of them hold
in the repository as on the site.

A link to a file that is no page, such as a script's or a test's, is only a name on the site. One to nothing is left as it is: the
strict build names it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

TOP = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "slurm/README.md": "slurm/README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "SECURITY.md",
}
# Where what is in the repository lies on the site; the pages of docs/ come when they are known.
on_site = dict(PAGES)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")


def on_config(config):
    # Anchors as those of GitHub, so that one link holds in both places.
    config.mdx_configs["toc"]["slugify"] = lambda text, _: re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
    return config


def on_files(files, config):
    # Pages, and the scripts that one of them is about.
    beside = [*PAGES, *(f"slurm/{script.name}" for script in sorted((TOP / "slurm").glob("*.sbatch")))]
    for path in files.src_uris:
        on_site[f"docs/{path}"] = path
    for path in beside:
        on_site[path] = PAGES.get(path, path)
        files.append(File.generated(config, on_site[path], abs_src_path=str(TOP / path)))
    return files


def on_post_template(output, template_name, config):
    # It links from a server's root, and is no page.
    return "" if template_name == "404.html" else output


def on_page_markdown(markdown, page, config, files):
    here = next(path for path, place in on_site.items() if place == page.file.src_uri)

    def led(link):
        image, text, target = link.groups()
        path, _, anchor = target.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return link[0]
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        if meant in on_site:
            place = posixpath.relpath(on_site[meant], posixpath.dirname(page.file.src_uri) or ".")
            return f"{image}[{text}]({place}{'#' + anchor if anchor else ''})"
        return text if (TOP / meant).exists() else link[0]

    return LINK.sub(led, markdown)
