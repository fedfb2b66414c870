// Writes messages to a topic that are no records of rxtrail.
//
//   node foreign.mjs <node_modules> <broker> <topic>

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, broker, topic] = process.argv.slice(2);
const { Kafka, logLevel, Partitioners } = createRequire(resolve(modules, "x.js"))("kafkajs");
const kafka = new Kafka({ clientId: "foreign-example", brokers: [broker], logLevel: logLevel.ERROR });

const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
await producer.connect();
const values = ["hello", JSON.stringify({ block: 7 }), Buffer.alloc(300, 0xff), null];
await producer.send({ topic, messages: values.map((value) => ({ key: "x", value })) });
await producer.disconnect();
