from html.parser import HTMLParser

from codealong.publish import course

NOTEBOOKS = [path.stem for path in course.notebooks()]

LOADING = {"script", "img", "iframe", "frame", "object", "embed", "audio", "video", "source", "track", "input"}
RELATIONS = {"stylesheet", "icon", "shortcut icon", "preload", "prefetch", "modulepreload", "manifest"}


class Page(HTMLParser):
    """What a browser would run and load of a page.

    Attributes
    ----------
    policies : list of str
        Of each Content-Security-Policy that nothing to load or run comes before.
    inline : list of str
        The text of each script.
    loaded : list of str
        The address of each script, style, picture or frame.
    active : list of str
        Tags and attributes that act, other than scripts.
    """

    def __init__(self, html):
        super().__init__()
        self.policies, self.inline, self.loaded, self.active = [], [], [], []
        self._writing = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        if tag == "meta" and has.get("http-equiv", "").lower() == "content-security-policy":
            if not (self.inline or self.loaded):
                self.policies.append(has["content"])
        elif tag == "meta" and "http-equiv" in has:
            self.active.append(f"meta {has['http-equiv']}")
        if tag in ("iframe", "frame", "object", "embed", "applet", "base", "form"):
            self.active.append(tag)
        self.active += [f"{tag} {name}" for name in has if name.startswith("on") or name in ("srcdoc", "formaction")]
        addresses = [has[name] or "" for name in ("href", "src", "action", "data", "xlink:href") if name in has]
        self.active += [
            address for address in addresses if address.strip().lower().startswith(("javascript:", "data:text"))
        ]
        if tag in LOADING or (tag == "link" and has.get("rel") in RELATIONS):
            self.loaded += addresses
        self._writing = tag == "script" and "src" not in has
        if self._writing:
            self.inline.append("")

    def handle_endtag(self, tag):
        self._writing = False

    def handle_data(self, data):
        if self._writing:
            self.inline[-1] += data
