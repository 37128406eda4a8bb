/** A server of a guest, on its port 8000: it counts its requests in its memory, and answers with their number. In Python. */
export const counter = `
import http.server
count = 0
class Counter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global count
        count += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(count).encode())
http.server.HTTPServer(("127.0.0.1", 8000), Counter).serve_forever()`
