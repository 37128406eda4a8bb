/** A program of the guest that plays a model at 127.0.0.1:8000 by the Messages API: it calls two tools, and says what they came to. */
export const MESSAGES_API = `#!/usr/bin/python3
import http.server, json
CALLS = [
    ("Write", {"file_path": "/workspace/sum.py", "content": "print(2 + 3)\\n"}),
    ("Bash", {"command": "python3 sum.py; printenv ANTHROPIC_API_KEY", "description": "Run it"}),
]
def message(**more):
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}, **more}
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        parts = [part for one in body["messages"] if isinstance(one["content"], list) for part in one["content"]]
        results = [part["content"] for part in parts if part["type"] == "tool_result"]
        if not body.get("stream"):
            return self.answer("application/json", json.dumps(message(content=[{"type": "text", "text": "{}"}], stop_reason="end_turn")))
        if not body.get("tools") or len(results) >= len(CALLS):
            block, reason = {"type": "text", "text": ""}, "end_turn"
            delta = {"type": "text_delta", "text": json.dumps(results)}
        else:
            name, given = CALLS[len(results)]
            block, reason = {"type": "tool_use", "id": "toolu_%d" % len(results), "name": name, "input": {}}, "tool_use"
            delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
        events = [
            {"type": "message_start", "message": message()},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
        self.answer("text/event-stream", "".join("event: %s\\ndata: %s\\n\\n" % (one["type"], json.dumps(one)) for one in events))
    def answer(self, kind, text):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Model).serve_forever()
`
