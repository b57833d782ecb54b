// The API of docs/loadtest.md in Node.js with Express: node server.js PORT
import express from "express";

const app = express();
app.disable("x-powered-by"); // the other stacks name themselves in no header
app.disable("etag"); // nor do they hash their answers

app.get("/hello/:name", (request, response) => {
  const { name } = request.params;
  response.json({ greeting: `Hello, ${name}!`, letters: [...name].length });
});

app.post("/sum", express.json(), (request, response) => {
  const numbers = request.body?.numbers;
  if (!Array.isArray(numbers) || !numbers.every(Number.isSafeInteger)) return refuse(response);
  const sum = numbers.reduce((total, number) => total + number, 0);
  const largest = numbers.length ? numbers.reduce((a, b) => Math.max(a, b)) : null;
  response.json({ count: numbers.length, sum, largest });
});

app.use((request, response) => response.status(404).json({ error: "not found" }));
app.use((error, request, response, next) => refuse(response)); // a body that is no JSON

function refuse(response) {
  response.status(400).json({ error: "numbers must be a list of integers" });
}

app.listen(Number(process.argv[2]), "127.0.0.1");
