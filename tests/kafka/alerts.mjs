// Reads alerts as another system would: from the topic's begin to its end as it is now, each revision of a case once.
//
//   node alerts.mjs <node_modules> <broker> [topic]
//
// Prints one line of JSON a case: { case_key, revisions: ["opened", …], last: { … the alert } }.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, broker, topic = "rxtrail.alerts"] = process.argv.slice(2);
const { Kafka, logLevel } = createRequire(resolve(modules, "x.js"))("kafkajs");
const kafka = new Kafka({ clientId: "alerts-example", brokers: [broker], logLevel: logLevel.ERROR });

const admin = kafka.admin();
await admin.connect();
const ends = new Map();
for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
  if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high));
}
await admin.disconnect();

const cases = new Map();

// At least once: what came before comes again after a restart, with the same revision.
function take(event) {
  const { case_key, revision, kind, alert } = event.data;
  const known = cases.get(case_key) ?? { case_key, revisions: [], last: null };
  if (revision <= known.revisions.length) return;
  if (revision !== known.revisions.length + 1) throw new Error(`${case_key}: ${revision} after ${known.revisions}`);
  if (event.specversion !== "1.0" || event.id !== `${case_key}/${revision}`) throw new Error(JSON.stringify(event));
  known.revisions.push(kind);
  known.last = alert;
  cases.set(case_key, known);
}

const consumer = kafka.consumer({ groupId: `alerts-example-${process.pid}` });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await new Promise((done, failed) => {
  if (ends.size === 0) return done();
  consumer.run({
    eachMessage: async ({ partition, message }) => {
      try {
        take(JSON.parse(message.value.toString()));
      } catch (error) {
        failed(error);
      }
      if (BigInt(message.offset) + 1n >= (ends.get(partition) ?? 0n)) ends.delete(partition);
      if (ends.size === 0) done();
    },
  });
});
await consumer.disconnect();
for (const known of cases.values()) console.log(JSON.stringify(known));
