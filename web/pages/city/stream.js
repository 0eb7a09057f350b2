// The live link: one snapshot, then deltas, and back again by itself when it is lost.

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 8000;

// The server says something at least every two seconds; longer silence is a lost link.
const SILENCE_MS = 6000;

export function retryDelay(tries) {
  return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(tries, 10));
}

export class Stream {
  // `snapshot` and `delta` take the messages, `delta` says false when one was missed; `link` takes "live" or "lost".
  constructor(url, { snapshot, delta, link }) {
    this.url = url;
    this.snapshot = snapshot;
    this.delta = delta;
    this.link = link;
    this.tries = 0;
    this.watchdog = 0;
    this.source = null;
    this.open();
  }

  open() {
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("snapshot", (event) => {
      if (this.source !== source) return;
      this.tries = 0;
      this.snapshot(JSON.parse(event.data));
      this.heard();
    });
    source.addEventListener("delta", (event) => {
      if (this.source !== source) return;
      if (this.delta(JSON.parse(event.data))) this.heard();
      else this.lost();
    });
    source.addEventListener("error", () => {
      if (this.source === source) this.lost();
    });
    this.watch();
  }

  heard() {
    this.link("live", 0);
    this.watch();
  }

  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost(), SILENCE_MS);
  }

  lost() {
    clearTimeout(this.watchdog);
    this.source?.close();
    this.source = null;
    const delay = retryDelay(this.tries);
    this.tries += 1;
    this.link("lost", delay);
    setTimeout(() => this.open(), delay);
  }
}
