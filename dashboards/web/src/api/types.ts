// The answers of the HTTP API, as they come. Times are RFC 3339 in UTC, addresses and hashes lower-case hexadecimal.

export type Severity = 'critical' | 'high' | 'medium' | 'low';
export type Finality = 'provisional' | 'final';
export type Standing = 'in_grace' | 'standing' | 'explained';

export interface BlockMark {
  number: number;
  hash: string;
}
export interface ChainMark {
  chain: number;
  head: BlockMark | null;
  finalized: BlockMark | null;
}
export interface Snapshot {
  commit: number;
  chains: ChainMark[];
}

export interface Party {
  gln: string;
  name: string;
  country: string | null;
  role: string;
}
export type Parties = Record<string, Party>;

export interface Answer {
  snapshot: Snapshot;
  parties?: Parties;
}

export interface Alert {
  case_key: string;
  rule: string;
  title: string;
  severity: Severity;
  standing: Standing;
  subject_kind: string;
  subject: string;
  item: string | null;
  chain: number;
  block_number: number;
  log_index: number;
  sub_index: number;
  tx_hash: string;
  raised_at: string;
  expected: string;
  came: string;
  accused: string | null;
  victim: string | null;
  witness: string | null;
  root: string | null;
  members: number;
  retroactive: boolean;
  explained_as: string | null;
  evidence: string;
  finality: Finality;
}

export interface Rule {
  code: string;
  title: string;
  version: number;
  trigger: string;
  innocent: string[];
  severity: string;
  source: string;
}

export type NoticeKind = 'opened' | 'changed' | 'closed' | 'withdrawn' | 'final';
export interface Notice {
  revision: number;
  kind: NoticeKind;
  severity: Severity;
  at_block: number | null;
}
export interface LiveNotice {
  case_key: string;
  revision: number;
  kind: NoticeKind;
  rule: string;
  severity: Severity;
  item: string | null;
  alert: Partial<Alert> | null;
}

export interface AlertPage extends Answer {
  alerts: Alert[];
  next: string | null;
  total: number;
}
export interface CaseAnswer extends Answer {
  alert: Alert;
  rule: Rule | null;
  members: Alert[];
  notices: Notice[];
}

export interface Incident {
  chain: number;
  block_number: number | null;
  kind: string;
  endpoint: string;
  detail: string;
}
export interface ChainState {
  chain: number;
  head: number | null;
  head_time: string | null;
  finalized: number | null;
  events: number;
  items: number;
  dead_letters: number;
}
export interface SystemAnswer extends Answer {
  version: string;
  ready: boolean;
  chains: ChainState[];
  alerts: Record<Severity, number>;
  incidents: Incident[];
}

export interface Item {
  item?: string;
  chain: number;
  gtin: string | null;
  serial: string | null;
  lot: string | null;
  expiry: string | null;
  state: string;
  possessor: string | null;
  owner: string | null;
  consignee: string | null;
  parent: string | null;
  maker: string | null;
  branches: number;
  commissioned_at: string | null;
  steps: number;
  finality: Finality;
}

export interface Event {
  chain: number;
  block_number: number;
  log_index: number;
  sub_index: number;
  block_time: string;
  event_time: string | null;
  tx_hash: string;
  contract: string;
  token_id: string | null;
  kind: string;
  branch: number;
  legal: boolean;
  authority: string;
  from_address: string | null;
  to_address: string | null;
  actor: string | null;
  parent: string | null;
  quantity: string | number | null;
  place: string | null;
  reason: string | null;
  detail: string | null;
  finality: Finality;
}

export interface Entry {
  event: Event;
  inside: string | null;
  alerts: Alert[];
}

export type CustodyRole = 'owner' | 'possessor' | 'declarer';
export interface Custody {
  chain: number;
  branch: number;
  role: CustodyRole;
  holder: string;
  from_block: number;
  from_time: string;
  to_block: number | null;
  to_time: string | null;
  finality: Finality;
}

export interface Token {
  chain: number;
  contract: string;
  token_id: string;
  standard: string;
  owner: string | null;
  minted_block: number | null;
  burnt_block: number | null;
  finality: Finality;
}

export interface Product {
  gtin: string;
  name: string;
  owner: string | null;
}
export interface LotFacts {
  lot: string;
  expiry: string | null;
  quantity: number | string | null;
}

export interface PedigreeAnswer extends Answer {
  item: string;
  now: Item[];
  tokens: Token[];
  entries: Entry[];
  other_alerts: Alert[];
  custody: Custody[];
  product: Product | null;
  lot: LotFacts | null;
  truncated: boolean;
}

export interface ItemsAnswer extends Answer {
  items: Item[];
}

export type Verdict = 'verified' | 'suspect' | 'not_verified' | 'unknown';
export interface VerifyAnswer extends Answer {
  item: string;
  verdict: Verdict;
  reasons: { code: string; text: string }[];
  now: Item[];
  alerts: Alert[];
  product: Product | null;
  lot: LotFacts | null;
}

export interface LotRow {
  gtin: string;
  lot: string;
  product: string | Product | null;
  expiry: string | null;
  declared: number | string | null;
  commissioned: number;
  recalled: boolean;
}
export interface LotsAnswer extends Answer {
  lots: LotRow[];
}
export interface Recall {
  id: string;
  class: string | null;
  serial_from: string | null;
  serial_to: string | null;
  market: string | null;
  effective_at: string;
  resolved_at: string | null;
}
export interface LotAnswer extends Answer {
  gtin: string;
  lot: string;
  product: Product | string | null;
  expiry: string | null;
  declared: number | string | null;
  commissioned: number;
  states: { state: string; items: number }[];
  holders: { holder: string | null; state: string; items: number }[];
  recalls: Recall[];
  after_recall: { item: string; kind: string; block_time: string; actor: string | null }[];
  alerts: Alert[];
}

export interface Licence {
  kind: string;
  jurisdiction: string;
  status: string;
  valid_from: string | null;
  valid_to: string | null;
}
export interface PartyRow {
  gln: string;
  name: string;
  country: string | null;
  role: string;
  addresses: string[];
  licences: Licence[];
  stock: number;
  open_alerts: number;
}
export interface PartiesAnswer extends Answer {
  parties_list: PartyRow[];
}

export interface ContractRow {
  chain: number;
  contract: string;
  tier: string;
  events: number;
  tokens: number;
  dead_letters: number;
  alerts: number;
  first_block: number | null;
  last_block: number | null;
}
export interface ContractsAnswer extends Answer {
  contracts: ContractRow[];
}

export type ParameterType = 'text' | 'integer' | 'time' | 'gtin' | 'address';
export interface Parameter {
  name: string;
  type: ParameterType;
  default: string | number | null;
  doc: string;
}
export interface NamedQuery {
  name: string;
  title: string;
  asks: string;
  why: string;
  parameters: Parameter[];
  columns: { name: string; doc: string }[];
  sql: string;
}
