import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;

/** HttpURLConnection, whose pool of kept connections is the process's. */
final class UrlConnection {
    public static void main(String[] arguments) throws Exception {
        Contract.run("HttpURLConnection", UrlConnection::send);
    }

    private static Contract.Answer send(String method, String url, byte[] body) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setRequestMethod(method);
        if (body.length > 0) {
            connection.setDoOutput(true);
            try (OutputStream output = connection.getOutputStream()) {
                output.write(body);
            }
        }
        int status = connection.getResponseCode();
        boolean good = status < 400;
        try (InputStream input = good ? connection.getInputStream() : connection.getErrorStream()) {
            return new Contract.Answer(status, input == null ? new byte[0] : input.readAllBytes());
        }
    }
}
