/**
 * A command of the guest that says `ready` when it listens, and answers one request with `served`. It reads the request first: a
 * connection that is closed with unread bytes is reset, and its client loses the answer.
 */
export const serveOnce = (port: number): string =>
  `perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 1, ReuseAddr => 1) or die;
    print "ready\\n"; STDOUT->flush;
    my $c = $s->accept;
    while (<$c>) { last if /^\\r?$/ }
    print $c "HTTP/1.0 200 OK\\r\\n\\r\\nserved"; close $c'`
