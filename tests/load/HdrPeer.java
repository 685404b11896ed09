// SPDX-License-Identifier: Apache-2.0
// HdrPeer - HdrHistogram's own Java implementation (Debian's libhdrhistogram-java) beside ours; run by tests/load/run.
//   read LOG PERCENTILE...    reads a log through its HistogramLogReader, adds up, prints: total count min max mean
//                             stddev, and the value at each percentile; then the same of each base64 text on stdin
//   write LOG SEED            writes a log of many distributions, precisions and units through its HistogramLogWriter,
//                             and prints for each interval: start, count, value at p50, p99, p99.9, max; then the total
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Random;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.HdrHistogram.HistogramLogWriter;

public class HdrPeer {
	static final long HOUR = 3600000000000L;

	static void show(String what, Histogram h, String[] percentiles) {
		StringBuilder line = new StringBuilder();

		line.append(String.format("%s %d %d %d %.3f %.3f", what, h.getTotalCount(), h.getMinValue(), h.getMaxValue(),
			h.getMean(), h.getStdDeviation()));
		for (String p : percentiles)
			line.append(' ').append(h.getValueAtPercentile(Double.parseDouble(p)));
		System.out.println(line);
	}

	static void read(String path, String[] percentiles) throws Exception {
		HistogramLogReader reader = new HistogramLogReader(path);
		Histogram total = new Histogram(1, HOUR, 3);
		EncodableHistogram part;
		int intervals = 0;

		while ((part = reader.nextIntervalHistogram()) != null) {
			total.add((Histogram)part);
			intervals++;
		}
		System.out.println("intervals " + intervals);
		show("total", total, percentiles);
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null;) {
			ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(line.trim()));
			show("text", Histogram.decodeFromCompressedByteBuffer(bytes, 0), percentiles);
		}
	}

	// One of several shapes, up to the histogram's highest value.
	static long draw(Random random, int shape, long highest) {
		double unit = random.nextDouble();
		double value;

		switch (shape % 5) {
		case 0: value = unit * 1e6; break;
		case 1: value = -Math.log(1 - unit) * 50000; break;
		case 2: value = Math.exp(random.nextGaussian() * 2 + 11); break;
		case 3: value = unit < 0.99 ? 20000 + unit * 1000 : 1e8 + unit * 1e7; break;
		default: value = Math.pow(10, unit * 12); break;
		}
		return Math.min(highest, (long)value);
	}

	static void write(String path, long seed) throws Exception {
		HistogramLogWriter writer = new HistogramLogWriter(new PrintStream(path));
		Random random = new Random(seed);

		writer.outputComment("[written by HdrPeer]");
		writer.outputLogFormatVersion();
		writer.outputStartTime(1700000000000L);
		writer.outputLegend();
		for (int i = 0; i < 60; i++) {
			int digits = i % 3 == 0 ? 3 : 2 + i % 4;
			long highest = i % 2 == 0 ? HOUR : 60000000000L;
			Histogram h = new Histogram(i % 4 == 3 ? 1000 : 1, highest, digits);
			int n = 11000 + random.nextInt(20000);

			for (int k = 0; k < n; k++)
				h.recordValue(draw(random, i, highest));
			if (i % 5 == 1)
				h.setTag("odd");
			writer.outputIntervalHistogram(i, i + 1, h);
			System.out.println(i + " " + (h.getTag() == null ? "-" : h.getTag()) + " " + digits + " " + h.getTotalCount() + " " +
				h.getValueAtPercentile(50) + " " + h.getValueAtPercentile(99) + " " + h.getValueAtPercentile(99.9) + " " + h.getMaxValue());
		}
	}

	public static void main(String[] args) throws Exception {
		if (args[0].equals("read"))
			read(args[1], java.util.Arrays.copyOfRange(args, 2, args.length));
		else
			write(args[1], Long.parseLong(args[2]));
	}
}
