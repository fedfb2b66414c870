// What was checked and how it went. A failure does not end the run: all of them are told.

export class Report {
  #only;
  #told = 0;
  #failed = [];

  constructor(only) {
    this.#only = only;
  }

  /** Runs one check under its name. */
  async tell(name, check) {
    if (this.#only && !name.includes(this.#only)) return;
    this.#told += 1;
    try {
      await check();
      console.log(`ok    ${name}`);
    } catch (error) {
      this.#failed.push(name);
      console.log(`FAIL  ${name}\n${String(error?.stack ?? error).replace(/^/gm, '      ')}`);
    }
  }

  /** The exit code. */
  end() {
    console.log(`${this.#told} checked, ${this.#failed.length} failed`);
    return this.#failed.length === 0 && this.#told > 0 ? 0 : 1;
  }
}
