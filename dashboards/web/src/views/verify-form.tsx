// What is printed on a pack, typed or scanned.

import { useState } from 'preact/hooks';
import { type PackCode, gtin14 } from '../model/gs1';
import { Icon } from '../parts/icon';

export interface Answers {
  gtin: string;
  serial: string;
  lot: string;
  expiry: string;
}

interface Props {
  start: Answers;
  read: (text: string) => PackCode | { error: string };
  submit: (answers: Answers) => void;
}

export function PackForm({ start, read, submit }: Props) {
  const [form, setForm] = useState<Answers>(start);
  const [code, setCode] = useState('');
  const [codeError, setCodeError] = useState('');
  const [errors, setErrors] = useState<Partial<Answers>>({});
  const fill = (text: string) => {
    setCode(text);
    if (text.trim() === '') return setCodeError('');
    const found = read(text);
    if ('error' in found) return setCodeError(found.error);
    setCodeError('');
    setErrors({});
    setForm({ gtin: found.gtin, serial: found.serial, lot: found.lot, expiry: found.expiry });
  };
  const send = (event: globalThis.Event) => {
    event.preventDefault();
    const found = faults(form);
    setErrors(found);
    const first = (['gtin', 'serial', 'expiry'] as const).find((name) => found[name]);
    if (first) document.getElementById(`pack-${first}`)?.focus();
    else submit({ ...form, gtin: gtin14(form.gtin) ?? form.gtin, serial: form.serial.trim(), lot: form.lot.trim() });
  };
  const put = (name: keyof Answers) => (event: { currentTarget: HTMLInputElement }) =>
    setForm({ ...form, [name]: event.currentTarget.value });
  return (
    <form class="panel form-grid" onSubmit={send} action="/verify" noValidate>
      <ScannedCode code={code} error={codeError} fill={fill} />
      <Field name="gtin" word="Product code (GTIN)" value={form.gtin} put={put('gtin')} error={errors.gtin} numeric />
      <Field name="serial" word="Serial number" value={form.serial} put={put('serial')} error={errors.serial} />
      <Field name="lot" word="Lot" optional value={form.lot} put={put('lot')} error={errors.lot} />
      <Field
        name="expiry"
        word="Expiry"
        optional
        hint="YYYY-MM-DD"
        value={form.expiry}
        put={put('expiry')}
        error={errors.expiry}
      />
      <div class="form-acts wide">
        <button type="submit" class="button primary">
          <Icon name="verify" />
          Verify
        </button>
        <a class="button" href="/verify">
          Clear
        </a>
      </div>
    </form>
  );
}

function ScannedCode({ code, error, fill }: { code: string; error: string; fill: (text: string) => void }) {
  const hint =
    'Paste or scan it here, and the fields below are filled: (01)…(21)…(17)…(10)…, the same with separators, or a Digital Link.';
  return (
    <div class="labelled wide">
      <label for="pack-code">Scanned code</label>
      <input
        id="pack-code"
        class="mono"
        autocomplete="off"
        spellcheck={false}
        value={code}
        onInput={(event) => fill(event.currentTarget.value)}
        aria-describedby="pack-code-hint"
        aria-invalid={error !== ''}
      />
      <span class={error ? 'field-error' : 'hint'} id="pack-code-hint">
        {error || hint}
      </span>
    </div>
  );
}

function faults(form: Answers): Partial<Answers> {
  const found: Partial<Answers> = {};
  if (form.gtin.trim() === '') found.gtin = 'The product code is needed.';
  else if (gtin14(form.gtin) === null)
    found.gtin = 'This is no GTIN: it has 8, 12, 13 or 14 digits, the last of which checks the others.';
  if (form.serial.trim() === '') found.serial = 'The serial number is needed.';
  const day = form.expiry.trim();
  if (day !== '' && (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))))
    found.expiry = 'Write the expiry as YYYY-MM-DD.';
  return found;
}

interface FieldProps {
  name: keyof Answers;
  word: string;
  value: string;
  put: (event: { currentTarget: HTMLInputElement }) => void;
  error: string | undefined;
  hint?: string;
  optional?: boolean;
  numeric?: boolean;
}

function Field({ name, word, value, put, error, hint, optional, numeric }: FieldProps) {
  const id = `pack-${name}`;
  const below = error ?? hint;
  return (
    <div class="labelled">
      <label for={id}>
        {word}
        {optional && <span class="hint"> (optional)</span>}
      </label>
      <input
        id={id}
        name={name}
        class="mono"
        autocomplete="off"
        spellcheck={false}
        inputMode={numeric ? 'numeric' : 'text'}
        value={value}
        onInput={put}
        aria-invalid={error !== undefined}
        aria-describedby={below ? `${id}-hint` : undefined}
        required={!optional}
      />
      {below && (
        <span id={`${id}-hint`} class={error ? 'field-error' : 'hint'}>
          {below}
        </span>
      )}
    </div>
  );
}
