import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** What all clients in Java share: the order, the count, the two lines of JSON, the end. */
final class Contract {
    private static final int EXAMPLES = 10;
    private static final long GRACE = 15_000;

    /** An answer, whatever its status. */
    record Answer(int status, byte[] body) {}

    /** One request; throws what the library throws. */
    interface Exchange {
        Answer send(String method, String url, byte[] body) throws Exception;
    }

    private record Request(String method, byte[] body) {}

    static final String PROTOCOL = System.getenv("PROTOCOL");
    private static final String URL = System.getenv("URL");

    private final String client;
    private final Map<String, Integer> kinds = new TreeMap<>();
    private final List<String> examples = new ArrayList<>();
    private int requests;
    private int failed;
    private int inFlight;

    private Contract(String client) {
        this.client = client;
    }

    static void run(String client, Exchange exchange) throws Exception {
        new Contract(client).carryOut(exchange);
    }

    private void carryOut(Exchange exchange) throws Exception {
        List<Request> mix = new ArrayList<>();
        for (String part : System.getenv("MIX").split(",")) {
            String[] words = part.split(":");
            byte[] body = new byte[Integer.parseInt(words[1])];
            Arrays.fill(body, (byte) 'x');
            mix.add(new Request(words[0], body));
        }
        int connections = (int) number("CONNECTIONS");
        int slow = (int) number("SLOW");
        double think = number("THINK");
        CountDownLatch stopped = new CountDownLatch(1);
        for (int task = 0; task < connections + slow; task++) {
            int first = task;
            String url = URL + (task < connections
                ? "/" : "/slow?seconds=" + System.getenv("SLOW_SECONDS"));
            start(() -> {
                for (int turn = first; !stopped.await(pause(think), TimeUnit.MILLISECONDS); turn++) {
                    once(exchange, mix.get(turn % mix.size()), url);
                }
            });
        }
        start(() -> {
            InputStream input = System.in;
            while (input.read() >= 0) {
                continue;
            }
            stopped.countDown();
        });
        long end = System.currentTimeMillis() + (long) (number("SECONDS") * 1000);
        do {
            say("so_far");
        } while (!stopped.await(1, TimeUnit.SECONDS) && System.currentTimeMillis() < end);
        stopped.countDown();
        long wait = GRACE + (slow > 0 ? (long) (number("SLOW_SECONDS") * 1000) : 0);
        long deadline = System.currentTimeMillis() + wait;
        while (busy() && System.currentTimeMillis() < deadline) {
            Thread.sleep(50);
        }
        while (busy()) {
            ended("no answer", "in flight when the client gave up");
        }
        say("result");
        System.exit(0);
    }

    private void once(Exchange exchange, Request request, String url) {
        begun();
        try {
            Answer answer = exchange.send(request.method, url, request.body);
            if (answer.status < 200 || answer.status > 299) {
                ended(request.method + " HTTP " + answer.status, "");
            } else if (!Arrays.equals(answer.body, request.body)) {
                ended(request.method + " wrong body", answer.body.length + " bytes");
            } else {
                ended("", "");
            }
        } catch (Exception error) {
            Throwable cause = error;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            ended(request.method + " " + cause.getClass().getSimpleName(), error + " / " + cause);
        }
    }

    private synchronized void begun() {
        inFlight++;
    }

    private synchronized boolean busy() {
        return inFlight > 0;
    }

    private synchronized void ended(String kind, String detail) {
        inFlight--;
        requests++;
        if (kind.isEmpty()) {
            return;
        }
        failed++;
        kinds.merge(kind, 1, Integer::sum);
        if (examples.size() < EXAMPLES) {
            examples.add(String.format("%.3f %s: %s", System.currentTimeMillis() / 1000.0, kind, detail));
        }
    }

    private synchronized void say(String key) {
        StringBuilder line = new StringBuilder();
        line.append("{").append(quoted(key)).append(":{\"client\":").append(quoted(client));
        line.append(",\"protocol\":").append(quoted(PROTOCOL)).append(",\"requests\":").append(requests);
        line.append(",\"failed\":").append(failed).append(",\"kinds\":{");
        String comma = "";
        for (Map.Entry<String, Integer> kind : kinds.entrySet()) {
            line.append(comma).append(quoted(kind.getKey())).append(":").append(kind.getValue());
            comma = ",";
        }
        line.append("},\"examples\":[");
        comma = "";
        for (String example : examples) {
            line.append(comma).append(quoted(example));
            comma = ",";
        }
        System.out.println(line.append("]}}"));
        System.out.flush();
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char letter : text.toCharArray()) {
            if (letter == '"' || letter == '\\') {
                quoted.append('\\').append(letter);
            } else {
                quoted.append(letter < ' ' ? ' ' : letter);
            }
        }
        return quoted.append('"').toString();
    }

    private static double number(String name) {
        return Double.parseDouble(System.getenv(name));
    }

    private static long pause(double think) {
        return (long) (think * ThreadLocalRandom.current().nextDouble(0.5, 1.5) * 1000);
    }

    private interface Work {
        void carryOut() throws IOException, InterruptedException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.carryOut();
            } catch (IOException | InterruptedException error) {
                throw new IllegalStateException(error);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }
}
